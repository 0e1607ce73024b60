// `berth events`.
#pragma once

#include "cli/command.h"

namespace berth::cli {
Result<int> events(const Invocation& invocation);
}  // namespace berth::cli
