// What is done to a new process from outside, while it waits: it takes the host's rights, and the process has
// those of its user namespace only.
#pragma once

#include <span>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "runtime/plan.h"

namespace berth::runtime {

// The process's standard streams become the user's, so that one who is not root can open /dev/stdout again,
// though a pipe is its maker's. Devices stay whose they are: the host's /dev/null is everybody's. A process
// with a terminal has other streams.
void give_streams(const ProcessPlan& process, const std::vector<IdExtent>& uid_map,
                  std::span<const int> streams);
// The caller's own.
void give_streams(const ProcessPlan& process, const std::vector<IdExtent>& uid_map);

// Raises the hard limits that are below those of the plan. Where one may not be raised the process itself
// says so, with the limit's name and value.
Result<> raise_limits(pid_t pid, const ProcessPlan& process);

}  // namespace berth::runtime
