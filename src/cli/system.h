// The commands about berth itself.
#pragma once

#include "cli/command.h"

namespace berth::cli {
Result<int> version(const Invocation& invocation);
Result<int> print_config(const Invocation& invocation);
Result<int> info(const Invocation& invocation);
Result<int> audit(const Invocation& invocation);
Result<int> map(const Invocation& invocation);
Result<int> system_boot(const Invocation& invocation);
Result<int> system_halt(const Invocation& invocation);
Result<int> system_repair(const Invocation& invocation);
Result<int> system_df(const Invocation& invocation);
Result<int> system_prune(const Invocation& invocation);
}  // namespace berth::cli
