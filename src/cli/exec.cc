#include "engine/exec.h"

#include <cstdio>

#include <unistd.h>

#include "base/detach_keys.h"
#include "base/log.h"
#include "cli/containers.h"
#include "cli/flag_values.h"
#include "cli/flags.h"
#include "cli/harmless_program.h"
#include "config/load.h"
#include "engine/attach.h"
#include "runtime/inherited.h"
#include "runtime/terminal_keeper.h"

namespace berth::cli {

namespace {

constexpr std::string_view kDescription =
    "Executes a command in a container that runs, beside its own process: in its namespaces and cgroups, "
    "with "
    "its\n"
    "files, environment, filter and IDs.\n\n"
    "The exit status is the command's own, 128 + N if signal N ended it, 127 if it does not exist in the "
    "container,\n"
    "126 if it can't be executed, 255 if the container does not run, and 125 if berth itself failed.\n";
constexpr std::string_view kExamples =
    "  berth exec web ps\n"
    "  berth exec -it web sh                   a shell; ctrl-p ctrl-q leaves it running\n"
    "  berth exec -u 10000 -w /srv web ls -l\n"
    "  tar c . | berth exec -i web tar x -C /tmp\n";

struct ExecFlags {
  bool detach = false;
  bool interactive = false;
  bool terminal = false;
  bool privileged = false;
  std::optional<std::string> user;
  std::string working_directory;
  std::vector<std::string> environment;
  std::vector<std::string> environment_files;
  std::string detach_keys = kUsualDetachKeys;
  int preserved = 0;
  std::string container;
  std::vector<std::string> command;
};

void declare(Flags& line, ExecFlags& flags) {
  line.leave_rest();  // what follows the container is the command's
  line.flag("-d,--detach", flags.detach, "Return once it has been executed; its output is nobody's");
  line.value("--detach-keys", flags.detach_keys,
             "Keys that leave the command running, with a terminal (ctrl-p,ctrl-q)", {.shown = "KEYS"});
  line.list("-e,--env", flags.environment, "NAME=VALUE, or NAME to pass on the caller's own");
  line.list("--env-file", flags.environment_files, "A file with a NAME=VALUE a line");
  line.flag("-i,--interactive", flags.interactive, "Pass the standard input on");
  line.value("--preserve-fds", flags.preserved, "Hand on so many descriptors from 3 on",
             {.shown = "N", .range = flags::Range{0, 1000}});
  line.flag("--privileged", flags.privileged, "Give it all capabilities that the container's IDs allow");
  line.flag("-t,--tty", flags.terminal, "Give it a terminal of the container's");
  line.value("-u,--user", flags.user, "USER[:GROUP], names of the container or numbers; any number works");
  line.value("-w,--workdir", flags.working_directory, "The working directory (the container's)");
}

Result<> take_container_and_command(const Flags& line, ExecFlags& flags) {
  std::vector<std::string> rest = line.rest();
  if (!rest.empty() && rest.front() == "--") rest.erase(rest.begin());
  if (rest.empty()) return fail(Code::usage, "berth exec needs a container and a command");
  if (rest.front().starts_with('-')) return line.unknown_flag(rest.front());
  flags.container = rest.front();
  flags.command = {rest.begin() + 1, rest.end()};
  if (flags.command.empty()) {
    Error error{Code::usage, 0, "there is no command to execute", {}};
    return std::unexpected(std::move(error).with_hint(
        fmt::format("Put it after the container: `berth exec {} COMMAND`.", flags.container)));
  }
  return {};
}

Result<> check(const ExecFlags& flags) {
  if (!flags.working_directory.empty() && flags.working_directory.front() != '/')
    return fail(Code::usage, "--workdir {}: it must be an absolute path", flags.working_directory);
  if (flags.terminal && flags.interactive && !flags.detach && ::isatty(STDIN_FILENO) == 0) {
    Error error{Code::usage, 0, "with --tty and --interactive the standard input must be a terminal", {}};
    return std::unexpected(std::move(error).with_hint("Leave out -t to pipe something into the command."));
  }
  return {};
}

Result<engine::ExecWish> wish_of(const ExecFlags& flags) {
  engine::ExecWish wish{.command = flags.command,
                        .user = flags.user,
                        .working_directory = flags.working_directory,
                        .environment = {},
                        .terminal = flags.terminal,
                        .privileged = flags.privileged};
  for (const std::string& path : flags.environment_files) {
    const std::vector<engine::Pair> pairs = TRY(read_environment_file(path));
    wish.environment.insert(wish.environment.end(), pairs.begin(), pairs.end());
  }
  const std::vector<engine::Pair> pairs = TRY(parse_environment(flags.environment));
  wish.environment.insert(wish.environment.end(), pairs.begin(), pairs.end());
  if (flags.terminal) {
    const monitor::TerminalSize size = engine::terminal_size();
    wish.rows = size.rows;
    wish.columns = size.columns;
  }
  wish.preserved = TRY(runtime::preserved_descriptors(flags.preserved));
  return wish;
}

// The store is closed again before the process begins, which may be there for long.
Result<engine::PreparedExec> prepare(const Invocation& invocation, const std::string& container,
                                     const engine::ExecWish& wish) {
  store::Store store = TRY(open_store(invocation));
  const store::ContainerRecord record = TRY(store::find_container(store.db(), container));
  const config::Config config = TRY(config::load(config::sources_from_environment()));
  const engine::ExecCaller caller{config, engine::caller_from_environment()};
  return engine::prepare_exec(store, record, wish, &caller);
}

Result<int> execute(const engine::PreparedExec& prepared, const ExecFlags& flags, std::string detach_keys) {
  engine::ExecStreams streams;
  if (!flags.terminal) streams = TRY(engine::make_exec_streams(flags.interactive, flags.detach));
  if (!flags.detach) runtime::hold_signals();
  runtime::RunningContainer process = TRY(engine::start_exec(prepared, streams.inside));
  streams.inside = {};
  bool detached = flags.detach;
  int status = 0;
  if (!detached) {
    const runtime::ForegroundEnd end =
        TRY(runtime::wait_in_foreground(process, {.input = flags.interactive,
                                                  .detach_keys = std::move(detach_keys),
                                                  .relays = std::move(streams.outside)}));
    detached = end.detached;
    status = end.status;
    if (!detached) engine::announce_exec_end(prepared, status);
  }
  if (detached && process.terminal) TRY(runtime::keep_terminal(process));
  return status;
}

// As podman has it: what can't even begin is not what the command itself may end with.
int print_not_running(const Error& error) {
  constexpr int kNotRunning = 255;
  const std::string text = render("berth", error);
  std::fwrite(text.data(), 1, text.size(), stderr);
  return kNotRunning;
}

}  // namespace

Result<int> exec(const Invocation& invocation) {
  ExecFlags flags;
  Flags line(invocation, "[flags] CONTAINER COMMAND [ARG...]", kDescription, kExamples);
  declare(line, flags);
  if (!TRY(line.parse())) return 0;
  TRY(settle_descriptors(invocation));
  TRY(take_container_and_command(line, flags));
  TRY(check(flags));
  std::string detach_keys = TRY(parse_detach_keys(flags.detach_keys));
  const engine::ExecWish wish = TRY(wish_of(flags));
  const Result<engine::PreparedExec> prepared = prepare(invocation, flags.container, wish);
  if (!prepared && prepared.error().code == Code::conflict && !flags.detach)
    return print_not_running(prepared.error());
  if (!prepared) return std::unexpected(prepared.error());
  TRY(leave_writable_program(invocation, *prepared));
  for (const std::string& warning : prepared->warnings) log::warn("{}", warning);
  return execute(*prepared, flags, std::move(detach_keys));
}

}  // namespace berth::cli
