// From a command line to exec.
#pragma once

#include <string>
#include <vector>

#include "runtime/plan.h"

namespace berth::runtime {

// The file that a command means: itself if it holds a slash, or the first executable of that name in the
// environment's PATH, as the calling user may execute it. Code::command_not_found or Code::not_executable.
Result<std::string> find_command(const ProcessPlan& process);

// What is to be executed: `path`, in the place of the calling process or as berth-init's child.
struct Execution {
  bool init = false;
  std::string path;
  const std::vector<std::string>& argv;
  const std::vector<std::string>& environment;
  // berth-init, open, which then executes it. -1: the caller itself does, who runs from a program that can't
  // be written (sys/sealed_program.h).
  int init_program = -1;
  int status = -1;  // where berth-init writes an ExecFailure
};

// Executes it with all signals as they are by default. Returns only on failure.
Error execute(const Execution& execution);

// The error for a command that can't be executed. `found`: the file is there, and it was execve(2) that
// refused.
Error exec_error(const std::string& command, int err, bool found);

}  // namespace berth::runtime
