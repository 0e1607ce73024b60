#pragma once

#include "cli/command.h"

namespace berth::transfer_cli {
Result<int> login(const cli::Invocation& invocation);
Result<int> logout(const cli::Invocation& invocation);
}  // namespace berth::transfer_cli
