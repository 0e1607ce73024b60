#pragma once

#include "cli/command.h"

namespace berth::transfer_cli {
Result<int> load(const cli::Invocation& invocation);
}
