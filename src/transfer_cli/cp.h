#pragma once

#include "cli/command.h"

namespace berth::transfer_cli {
Result<int> cp(const cli::Invocation& invocation);
}
