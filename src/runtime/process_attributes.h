// What a process has beside its IDs and capabilities: how it is scheduled, its personality, its label.
#pragma once

#include "runtime/plan.h"

namespace berth::runtime {

// For the calling process, and for the command that it will execute. Code::refused where
// the host has no such security module: a label is never left out silently.
Result<> set_attributes(const ProcessPlan& process);

// A session keyring of its own, unless the process is to keep its caller's: or the container would have the
// caller's keys. It has no name, for one that has would be joined where another process of the same user
// namespace has made it before (keyctl(2), KEYCTL_JOIN_SESSION_KEYRING).
Result<> take_own_keyring(const ProcessPlan& process);

}  // namespace berth::runtime
