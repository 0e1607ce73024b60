#pragma once

#include "cli/command.h"

namespace berth::transfer_cli {
Result<int> import(const cli::Invocation& invocation);
}
