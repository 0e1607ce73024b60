// create: everything up to the point where the container's process waits to be started.
#pragma once

#include <string>

#include "lifecycle/directory.h"
#include "lifecycle/record.h"
#include "runtime/container.h"

namespace berth::lifecycle {

struct CreateOptions {
  std::string id;
  std::string bundle;          // the caller's path
  std::string config;          // of the configuration; empty: config.json in the bundle
  std::string console_socket;  // where the terminal's master is sent to
  std::string pid_file;
  unsigned preserved = 0;  // --preserve-fds
  bool new_keyring = true;
  bool pivot = true;
  bool systemd_cgroup = false;
};

struct Created {
  Directory directory;
  Record record;
  runtime::RunningContainer running;  // the terminal's master is in it where no console socket took it
};

// After an error nothing is left of it. Code::refused for a configuration that can't be; nothing was made
// then. `keeps_terminal`: the caller deals with the terminal itself (run, in the foreground).
Result<Created> create(const Root& root, const CreateOptions& options, bool keeps_terminal = false);

}  // namespace berth::lifecycle
