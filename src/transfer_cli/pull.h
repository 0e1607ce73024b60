#pragma once

#include "cli/command.h"

namespace berth::transfer_cli {
Result<int> pull(const cli::Invocation& invocation);
}
