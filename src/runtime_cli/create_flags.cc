#include "runtime_cli/create_flags.h"

#include <filesystem>

#include "runtime/inherited.h"

namespace berth::runtime_cli {

void declare(flags::Flags& line, CreateFlags& into) {
  line.value("-b,--bundle", into.bundle, "The directory of the bundle (the current one)", {.shown = "DIR"});
  line.value("-f,--config", into.config, "Another file than its config.json", {.shown = "FILE"});
  line.value("--console-socket", into.console_socket, "Send the terminal's master there",
             {.shown = "SOCKET"});
  line.value("--pid-file", into.pid_file, "Write the process's ID there", {.shown = "FILE"});
  line.value("--preserve-fds", into.preserved, "Hand on so many descriptors from 3 on",
             {.range = flags::Range{.least = 0, .most = 1024}});
  line.flag("--no-pivot", into.no_pivot, "Not supported: the root file system is always pivoted into");
  line.flag("--no-new-keyring", into.no_new_keyring, "Keep the caller's session keyring");
  line.word("id", into.id, flags::Need::required);
}

namespace {

// The current directory changes while a container is made.
std::string absolute(const std::string& path) {
  return path.empty() ? path : std::filesystem::absolute(path).string();
}

}  // namespace

Result<lifecycle::CreateOptions> options_of(const Invocation& invocation, const CreateFlags& flags) {
  const unsigned preserved = TRY(runtime::preserved_descriptors(flags.preserved));
  return lifecycle::CreateOptions{.id = flags.id,
                                  .bundle = flags.bundle,
                                  .config = flags.config,
                                  .console_socket = absolute(flags.console_socket),
                                  .pid_file = absolute(flags.pid_file),
                                  .preserved = preserved,
                                  .new_keyring = !flags.no_new_keyring,
                                  .pivot = !flags.no_pivot,
                                  .systemd_cgroup = invocation.globals.systemd_cgroup};
}

}  // namespace berth::runtime_cli
