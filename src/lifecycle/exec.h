// exec: a further process in a container that is there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lifecycle/directory.h"
#include "runtime/container.h"

namespace berth::lifecycle {

// What is not said is as the container's own process has it. With a file it is the file that says it, and
// what the file leaves out (capabilities, limits, labels, …) is the container's.
struct ExecOptions {
  std::string id;
  std::string process_file;        // --process
  std::vector<std::string> words;  // the command line; empty: the file's
  std::optional<std::string> cwd;
  std::optional<std::string> user;        // UID or UID:GID, numbers
  std::vector<std::string> environment;   // NAME=VALUE, each in the place of another of that name
  std::vector<std::string> capabilities;  // to be added
  std::vector<std::string> groups;        // to be added, numbers
  std::vector<std::string> cgroups;       // "PATH" or "CONTROLLER[,...]:PATH", below the container's
  std::optional<std::string> apparmor;
  std::optional<std::string> selinux_label;
  bool no_new_privileges = false;
  bool terminal = false;
  bool detach = false;
  bool ignore_paused = false;
  std::string console_socket;  // where the terminal's master is sent to
  std::string pid_file;
  unsigned preserved = 0;  // --preserve-fds
};

// Returns when the process has executed its command; after an error nothing is left of it. The terminal's
// master is in the result where no console socket took it. Code::conflict for a container that is stopped or
// paused.
Result<runtime::RunningContainer> exec(const Root& root, const ExecOptions& options);

}  // namespace berth::lifecycle
