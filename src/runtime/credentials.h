// Who the container's process is: IDs, capabilities, limits, filter. All of it applies to the calling
// process.
#pragma once

#include "runtime/plan.h"
#include "runtime/seccomp_listener.h"

namespace berth::runtime {

// UID 0 and GID 0 of the user namespace that the process has just been put into, without the host's groups:
// until then it is the host's root to all that goes by IDs. It can't be traced afterwards either.
Result<> become_root(bool keep_groups);

Result<> set_limits(const ProcessPlan& process);

// Enters the directory and makes sure that it lies inside the container (CVE-2024-21626).
Result<> enter_working_directory(const ProcessPlan& process);

// Groups, GID, UID, capability sets and no_new_privs, in the order in which each still may be done. Where a
// filter is to come that needs capabilities, they stay until filter_calls(). Only a filter that notifies is
// loaded here, for its agent is told of it before the start: `take_listener` gets its listener, and without
// that it is an error.
Result<> become_user(const ProcessPlan& process, const ListenerTaker& take_listener = {});

// Whether its filter has an agent that is to be told of system calls.
bool notifies(const ProcessPlan& process);

// The seccomp filter, right before the exec: what comes between them must be allowed by it.
Result<> filter_calls(const ProcessPlan& process);

// Both in an order in which the one does not hinder the other.
Result<> enter_directory_and_become(const ProcessPlan& process, const ListenerTaker& take_listener = {});

}  // namespace berth::runtime
