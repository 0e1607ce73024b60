#pragma once

#include "cli/command.h"

namespace berth::transfer_cli {
Result<int> commit(const cli::Invocation& invocation);
}
