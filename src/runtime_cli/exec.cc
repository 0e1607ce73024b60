// `berth-runtime exec`.
#include "lifecycle/exec.h"

#include "runtime/foreground.h"
#include "runtime/inherited.h"
#include "runtime_cli/command.h"

namespace berth::runtime_cli {

namespace {

void declare(flags::Flags& line, lifecycle::ExecOptions& into, int& preserved) {
  line.value("-p,--process", into.process_file, "Take the process from a file, as config.json describes one",
             {.shown = "FILE"});
  line.value("--cwd", into.cwd, "The working directory in the container", {.shown = "DIR"});
  line.list("-e,--env", into.environment, "NAME=VALUE, for its environment");
  line.value("-u,--user", into.user, "As this user, by number", {.shown = "UID[:GID]"});
  line.list("-g,--additional-gids", into.groups, "One more group of the process, by number");
  line.flag("-t,--tty", into.terminal, "Give it a terminal");
  line.flag("-d,--detach", into.detach, "Return once it runs");
  line.value("--console-socket", into.console_socket, "Send the terminal's master there",
             {.shown = "SOCKET"});
  line.value("--pid-file", into.pid_file, "Write the process's ID there", {.shown = "FILE"});
  line.value("--preserve-fds", preserved, "Hand on so many descriptors from 3 on",
             {.range = flags::Range{.least = 0, .most = 1024}});
  line.list("-c,--cap", into.capabilities, "One more capability of the process");
  line.flag("--no-new-privs", into.no_new_privileges, "It can't gain privileges by executing");
  line.value("--apparmor", into.apparmor, "Its AppArmor profile", {.shown = "PROFILE"});
  line.value("--process-label", into.selinux_label, "Its SELinux label", {.shown = "LABEL"});
  line.list("--cgroup", into.cgroups, "[CONTROLLER,...:]PATH, a cgroup below the container's");
  line.flag("--ignore-paused", into.ignore_paused,
            "Also in a paused container: it runs once that is resumed");
}

}  // namespace

Result<int> exec_command(const Invocation& invocation) {
  lifecycle::ExecOptions options;
  int preserved = 0;
  flags::Flags line(
      invocation, "[flags] ID [COMMAND [ARG...]]",
      "Executes a command in a container that is there. In the foreground it passes signals on "
      "and ends with\n"
      "the command's status, 128 and the signal for one that was killed; with 255 where it could "
      "not be executed.",
      "  berth-runtime exec web ps\n  berth-runtime exec --tty web sh\n");
  declare(line, options, preserved);
  line.leave_rest();
  if (!TRY(line.parse())) return 0;
  std::vector<std::string> rest = line.rest();
  if (!rest.empty() && rest.front() == "--") rest.erase(rest.begin());
  if (rest.empty()) return fail(Code::usage, "the container's ID is missing");
  if (rest.front().starts_with('-')) return line.unknown_flag(rest.front());
  options.id = rest.front();
  options.words = {rest.begin() + 1, rest.end()};
  options.preserved = TRY(runtime::preserved_descriptors(preserved));
  const lifecycle::Root root = TRY(open_root(invocation));
  if (!options.detach) runtime::hold_signals();
  runtime::RunningContainer process = TRY(lifecycle::exec(root, options));
  if (options.detach) return 0;
  return TRY(runtime::wait_in_foreground(process)).status;
}

}  // namespace berth::runtime_cli
