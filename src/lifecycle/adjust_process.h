// What is done to a new process from outside, while it waits: it takes the host's rights, and the process has
// those of its user namespace only.
#pragma once

#include <string>

#include <sys/types.h>

#include "base/error.h"
#include "runtime/plan.h"

namespace berth::lifecycle {

// The caller's standard streams become the user's, so that one who is not root can open /dev/stdout again,
// though a pipe is its maker's. Devices stay whose they are: the host's /dev/null is everybody's. A process
// with a terminal has other streams.
void give_streams(const runtime::ProcessPlan& process, const std::vector<runtime::IdExtent>& uid_map);

// Raises the hard limits that are below those of the plan. Where one may not be raised the process itself
// says so, with the limit's name and value.
Result<> raise_limits(pid_t pid, const runtime::ProcessPlan& process);

// process.oomScoreAdj, if there is one.
Result<> set_oom_score(pid_t pid, std::optional<int32_t> score);

// --pid-file: in one step, so that no reader finds half of it. Relative to the working directory.
Result<> write_pid_file(const std::string& path, pid_t pid);

}  // namespace berth::lifecycle
