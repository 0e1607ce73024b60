// Banks that containers use and do not own: named ones, a project's, another container's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "store/database.h"

namespace berth::ledger {

struct User {
  std::string id;  // of the container
  std::string name;
  friend bool operator==(const User&, const User&) = default;
};

// Within the caller's transaction. Once more is no error.
Result<> record_use(store::Database& db, std::string_view container, Bank bank);

// Everything that a container has beside its own banks: uses of banks, ranges outside all banks
// (host_ranges.h). Where its record is deleted, in the same transaction.
Result<> forget_uses(store::Database& db, std::string_view container);

// The containers that use a bank, by name.
Result<std::vector<User>> users_of(store::Database& db, Bank bank);

// The banks that a container uses and does not own, in ascending order.
Result<std::vector<Bank>> banks_used_by(store::Database& db, std::string_view container);

// All containers' banks at once, by the containers' IDs: their own, then those that they use.
Result<std::map<std::string, std::vector<Bank>>> banks_of_containers(store::Database& db);

}  // namespace berth::ledger
