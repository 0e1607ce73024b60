// Ranges of host IDs that a person names (--uidmap), outside the order of banks: whether they are anybody's,
// and that a container has them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "idmap/id_range.h"
#include "ledger/id_kind.h"
#include "ledger/reservations.h"
#include "store/database.h"

namespace berth::ledger {

// Who holds some of the IDs as users, as groups or as either, in words: "the host's user ann has the ID
// 1000". nullopt: nobody that can be seen. Looked at, in this order: the host's users and groups, the
// subordinate ID files, banks and their owners (a bank is users and groups), ranges that containers map, user
// namespaces and processes that run now, the name service (asked for 64 of the IDs at most). Goes through all
// processes: 4 µs each.
Result<std::optional<std::string>> find_holder(store::Database& db, IdKind kind, const idmap::IdRange& range,
                                               const HostSources& host = {});

// Code::conflict, with who holds it, if find_holder() finds anybody; the hint says how to share on purpose.
Result<> check_range_free(store::Database& db, IdKind kind, const idmap::IdRange& range,
                          const HostSources& host = {});

// That a container maps these IDs. No bank that overlaps them is given out until forget_uses() (bank_uses.h).
// Within the caller's transaction.
Result<> record_range(store::Database& db, std::string_view container, const idmap::IdRange& range);

// The ranges that a container maps outside all banks, in ascending order.
Result<std::vector<idmap::IdRange>> ranges_of(store::Database& db, std::string_view container);

}  // namespace berth::ledger
