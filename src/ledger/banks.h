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
#include "ledger/reservations.h"
#include "store/database.h"

namespace berth::ledger {

// The pool: host IDs 0x00080000 to 0x6FFFFFFF, which systemd's "Users, Groups, UIDs and GIDs" document sets
// aside for container managers.
inline constexpr Bank kFirstBank{0x0008};
inline constexpr Bank kLastBank{0x6FFF};
inline constexpr uint32_t kPoolBanks = 0x6FFF - 0x0008 + 1;

// Who a bank belongs to: kind "container" and its id.
struct Owner {
  std::string kind;
  std::string id;
  friend bool operator==(const Owner&, const Owner&) = default;
};

struct BankRecord {
  Bank bank;
  std::optional<Owner> owner;  // nullopt: it is free and rests
  int64_t since = 0;           // seconds since 1970: when the owner got it
  std::optional<Owner> last_owner;
  int64_t freed_at = 0;  // seconds since 1970; 0 if it was never freed
};

// A bank that nobody holds, now the owner's. Banks that were never held come first, in ascending order; only
// when there is none left does a freed one get a new owner, the one freed longest ago first. So a freed bank
// rests until more than 28,000 others have been used, and a stale file or log line seldom points at the wrong
// container. Banks that others on this host use are passed over (Reservations). Costs the same however many
// banks are held. Code::conflict: the pool is full; the message says who holds it.
Result<Bank> allocate_bank(store::Database& db, const Owner& owner, const HostSources& host = {});

// Frees all banks of an owner. Returns how many there were.
Result<int64_t> free_banks_of(store::Database& db, const Owner& owner);

// In ascending order of when they were handed out.
Result<std::vector<Bank>> banks_of(store::Database& db, const Owner& owner);

// What the ledger knows of one bank; nullopt: nobody ever held it. Finds the owner of a host ID by Bank(id >>
// 16).
Result<std::optional<BankRecord>> find_bank(store::Database& db, Bank bank);

// All banks that are held, in ascending order.
Result<std::vector<BankRecord>> held_banks(store::Database& db);

// Frees the banks of containers that are no more in the store (none, as long as containers and banks are
// removed in one transaction; a store restored from parts may have some). Returns how many there were.
Result<int64_t> reclaim_banks(store::Database& db);

}  // namespace berth::ledger
