// The master of a terminal whose process nobody is attached to.
#pragma once

#include "runtime/container.h"

namespace berth::runtime {

// Makes a process that keeps the terminal, as without a master the kernel hangs up on those who use it, and
// takes what they write, which nobody reads any more. It ends with `process`. To be called by the parent of
// `process`, which then may end itself.
Result<> keep_terminal(RunningContainer& process);

}  // namespace berth::runtime
