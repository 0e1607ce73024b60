// The commands about banks.
#pragma once

#include "cli/command.h"

namespace berth::cli {
Result<int> list_banks(const Invocation& invocation);
Result<int> create_bank(const Invocation& invocation);
Result<int> inspect_banks(const Invocation& invocation);
Result<int> remove_banks(const Invocation& invocation);
}  // namespace berth::cli
