// The rows behind the pool: which banks nobody ever held, and handing one out. For the ledger's own files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "idmap/id_range.h"
#include "store/database.h"

namespace berth::ledger {

// Who a bank belongs to: kind "container" and its id, "name" and a name that a person gave, or that is the
// bank's number, "project" and the project's name.
struct Owner {
  std::string kind;
  std::string id;
  friend bool operator==(const Owner&, const Owner&) = default;
};

// The pool: host IDs 0x00080000 to 0x6FFFFFFF, which systemd's "Users, Groups, UIDs and GIDs" document sets
// aside for container managers.
inline constexpr Bank kFirstBank{0x0008};
inline constexpr Bank kLastBank{0x6FFF};
inline constexpr uint32_t kPoolBanks = 0x6FFF - 0x0008 + 1;

// So many banks from the pool's first on are given to those who ask for a number, and to others only once
// nothing else is free: otherwise "--bank 3" would nearly always be some container's by then.
// store/schema.h says the same in SQL.
inline constexpr uint32_t kNumberedBanks = 1024;
inline constexpr Bank kFirstUnnumbered{0x0008 + kNumberedBanks};

// What a freed bank rests at least, as long as there are others.
inline constexpr int64_t kRestSeconds = 3600;

// What the engine's policy says of the banks that are given out.
struct PoolRules {
  // Host IDs, normalized: only banks that lie wholly in them are chosen. nullopt: any.
  std::optional<std::vector<idmap::IdRange>> allowed;
  std::string allowed_by;  // the rule and its place, for messages: "allowed-ranges are 1-9 (berth.toml:3)"
  int64_t rest_seconds = kRestSeconds;  // kRestSeconds at least
};

// A range of banks, both ends included, by their own numbers (host ID >> 16).
struct BankRange {
  int64_t first = 0;
  int64_t last = 0;
};

// The range of never-held banks that `number` lies in.
Result<std::optional<BankRange>> fresh_range_of(store::Database& db, int64_t number);

// Takes `number` out of the range of never-held banks that it lies in.
Result<> use_up(store::Database& db, const BankRange& range, int64_t number);

// Makes it the owner's. `now`: nanoseconds since 1970.
Result<> hand_out(store::Database& db, int64_t number, const Owner& owner, int64_t now);

// "container web", "project shop", "the name db", "the number 3": for messages.
Result<std::string> describe_owner(store::Database& db, const Owner& owner);

// The error of a pool in which nothing is free that `rules` allow: how many banks there are, who holds them,
// what to do. Code::refused where the rules leave no bank at all. `name_service_gave_up`: the name service
// knows every ID that was asked for.
std::unexpected<Error> fail_pool_full(store::Database& db, const PoolRules& rules, bool name_service_gave_up);

}  // namespace berth::ledger
