// What a process has beside its IDs and capabilities: how it is scheduled, its personality, its label.
#pragma once

#include "runtime/plan.h"

namespace berth::runtime {

// For the calling process, and for the command that it will execute. Code::refused where
// the host has no such security module: a label is never left out silently.
Result<> set_attributes(const ProcessPlan& process);

}  // namespace berth::runtime
