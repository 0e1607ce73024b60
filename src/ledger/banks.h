// The ledger: who holds which bank, and who held it before. A part of the store's database; every function
// here that changes something is called within the caller's transaction, so that a bank and its owner appear
// and go together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "ledger/pool.h"
#include "ledger/reservations.h"
#include "store/database.h"

namespace berth::ledger {

struct BankRecord {
  Bank bank;
  std::optional<Owner> owner;  // nullopt: it is free and rests
  int64_t since = 0;           // seconds since 1970: when the owner got it
  std::optional<Owner> last_owner;
  std::string last_owner_name;  // what a container was called; empty for others
  int64_t freed_at = 0;         // seconds since 1970; 0 if it was never freed
};

// A bank that nobody holds, now the owner's. Who comes first:
//   1. banks that were never held, in ascending order;
//   2. those that have rested an hour at least, the one freed longest ago first;
//   3. the first 1,024, which are otherwise kept for those who ask for a number, in the same order;
//   4. any other, the one freed longest ago first: only then is the rest shorter than an hour.
// So a stale file or log line seldom points at the wrong container. Banks that others on this host use, or
// that host.rules do not allow, are passed over (Reservations). Costs the same however many banks are held.
//
// Code::conflict: the pool, or what the rules allow of it, is full, and the message says who holds it; or the
// owner holds `quota` banks already. Code::refused: the rules allow no bank at all.
Result<Bank> allocate_bank(store::Database& db, const Owner& owner, const HostSources& host = {},
                           std::optional<int64_t> quota = std::nullopt);

// Frees all banks of an owner and returns how many there were. One that another container uses (bank_uses.h,
// --userns container:NAME) is not freed: that container becomes its owner. To be called before the owner's
// own record goes, whose name is kept.
Result<int64_t> free_banks_of(store::Database& db, const Owner& owner, const HostSources& host = {});

// In ascending order of when they were handed out.
Result<std::vector<Bank>> banks_of(store::Database& db, const Owner& owner);

// What the ledger knows of one bank; nullopt: nobody ever held it. Finds the owner of a host ID by Bank(id >>
// 16).
Result<std::optional<BankRecord>> find_bank(store::Database& db, Bank bank);

// All banks that are held, in ascending order.
Result<std::vector<BankRecord>> held_banks(store::Database& db);

// And those that rest, in the order in which they will be given out.
Result<std::vector<BankRecord>> resting_banks(store::Database& db);

// Frees the banks of containers that are no more in the store (none, as long as containers and banks are
// removed in one transaction; a store restored from parts may have some). Returns how many there were.
Result<int64_t> reclaim_banks(store::Database& db);

}  // namespace berth::ledger
