// From a command line to exec.
#pragma once

#include <string>
#include <vector>

#include "runtime/plan.h"

namespace berth::runtime {

// The file that a command means: itself if it holds a slash, or the first executable of that name in the
// environment's PATH, as the calling user may execute it. Code::command_not_found or Code::not_executable.
Result<std::string> find_command(const ProcessPlan& process);

// What berth-init is to execute: `path`, as the only process or as its child.
struct Execution {
  bool init = false;
  std::string path;
  const std::vector<std::string>& argv;
  const std::vector<std::string>& environment;
  int init_program = -1;  // berth-init, open
  int status = -1;        // where an ExecFailure is written
};

// Executes it with all signals as they are by default. Returns only on failure.
Error execute(const Execution& execution);

// The error for a command that can't be executed. `found`: the file is there, and it was execve(2) that
// refused.
Error exec_error(const std::string& command, int err, bool found);

}  // namespace berth::runtime
