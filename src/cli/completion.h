// Completion of command lines by shells.
#pragma once

#include "cli/command.h"

namespace berth::cli {
// Prints what a shell needs.
Result<int> completion(const Invocation& invocation);
// What that asks berth for: the words that may stand in the place of the last one.
Result<int> complete(const Invocation& invocation);
}  // namespace berth::cli
