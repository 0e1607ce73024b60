// Closing what a process has not opened for itself: close_range(2), Linux 5.9.
#pragma once

#include <climits>

#include "base/error.h"

namespace berth::sys {

// Closes the descriptors from `first` to `last`, both included. Before Linux 5.9, and without a `last` that
// is near, those that are listed in /proc/self/fd: then /proc must be the host's own, and not one that a
// container may have put there.
Result<> close_descriptors(int first, int last = INT_MAX);

}  // namespace berth::sys
