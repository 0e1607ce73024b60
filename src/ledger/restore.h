// Putting back what a lost ledger knew, from what its owners remember (engine/recovery/rebuild.h).
#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/ids.h"
#include "ledger/pool.h"
#include "store/database.h"

namespace berth::ledger {

// The bank is the owner's since `since` (seconds since 1970). False if it is somebody else's already. Asks
// nobody else on the host: the owner's files and processes bear these IDs, whoever claims them by now. Within
// the caller's transaction.
Result<bool> restore_bank(store::Database& db, Bank bank, const Owner& owner, int64_t since);

}  // namespace berth::ledger
