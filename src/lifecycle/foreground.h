// A container that its caller waits for.
#pragma once

#include "runtime/container.h"

namespace berth::lifecycle {

// Before the process is started: signals wait from here on for wait_in_foreground(), so that one that comes
// meanwhile does not end the caller and leave the process behind.
void hold_signals();

// Passes signals on to the container's process and, where it has a terminal, what goes over it, until it
// ends; gives its status as a shell does.
Result<int> wait_in_foreground(runtime::RunningContainer& container);

}  // namespace berth::lifecycle
