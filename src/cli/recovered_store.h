// The store, for commands that look at containers or at what they hold.
#pragma once

#include "cli/command.h"
#include "engine/recover.h"

namespace berth::cli {

// As open_store(), and what commands and monitors that were lost have left is put right first.
Result<store::Store> open_recovered_store(const Invocation& invocation,
                                          store::Privacy privacy = store::Privacy::required);

// The same, and what was found meanwhile.
struct RecoveredStore {
  store::Store store;
  engine::Recovered found;
};
Result<RecoveredStore> open_and_recover(const Invocation& invocation,
                                        store::Privacy privacy = store::Privacy::required);

}  // namespace berth::cli
