#pragma once

#include "cli/command.h"

namespace berth::cli {
Result<int> version(const Invocation& invocation);
}
