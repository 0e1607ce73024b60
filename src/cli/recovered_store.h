// The store, for commands that look at containers or at what they hold.
#pragma once

#include "cli/command.h"

namespace berth::cli {

// As open_store(), and what commands and monitors that were lost have left is put right first.
Result<store::Store> open_recovered_store(const Invocation& invocation,
                                          store::Privacy privacy = store::Privacy::required);

}  // namespace berth::cli
