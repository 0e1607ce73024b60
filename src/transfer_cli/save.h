#pragma once

#include "cli/command.h"

namespace berth::transfer_cli {
Result<int> save(const cli::Invocation& invocation);
}
