// Who the container's process is: IDs, capabilities, limits, filter. All of it applies to the calling
// process.
#pragma once

#include "runtime/plan.h"

namespace berth::runtime {

// UID 0 and GID 0 of the user namespace that the process has just been put into.
Result<> become_root();

Result<> set_limits(const ProcessPlan& process);

// Enters the directory and makes sure that it lies inside the container (CVE-2024-21626).
Result<> enter_working_directory(const ProcessPlan& process);

// Groups, GID, UID, capability sets, no_new_privs and the seccomp filter, in the order in which each still
// may be done.
Result<> become_user(const ProcessPlan& process);

// Both in an order in which the one does not hinder the other.
Result<> enter_directory_and_become(const ProcessPlan& process);

}  // namespace berth::runtime
