// The commands about volumes.
#pragma once

#include "cli/command.h"

namespace berth::cli {
Result<int> create_volume(const Invocation& invocation);
Result<int> list_volumes(const Invocation& invocation);
Result<int> inspect_volumes(const Invocation& invocation);
Result<int> remove_volumes(const Invocation& invocation);
Result<int> prune_volumes(const Invocation& invocation);
}  // namespace berth::cli
