// From a command line to exec.
#pragma once

#include "runtime/plan.h"

namespace berth::runtime {

// The file that a command means: itself if it holds a slash, or the first executable of that name in the
// environment's PATH, as the calling user may execute it. Code::command_not_found or Code::not_executable.
Result<std::string> find_command(const ProcessPlan& process);

// Executes the process through berth-init (an open program): as its child, or in its place if the plan is
// without init. Returns only on failure.
Error execute(const ProcessPlan& process, int init_program);

// The error for a command that can't be executed. `found`: the file is there, and it was execve(2) that
// refused.
Error exec_error(const std::string& command, int err, bool found);

}  // namespace berth::runtime
