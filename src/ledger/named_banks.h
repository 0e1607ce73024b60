// Banks that have a name or are asked for by their number, so that containers can share them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "ledger/bank_numbers.h"
#include "ledger/banks.h"
#include "store/database.h"

namespace berth::ledger {

// All within the caller's transaction.

// The banks that `what` means: "NAME", "3" or "1-3". A name must have been given before (Code::not_found,
// with the nearest); a numbered bank comes into being when it is first asked for. Code::conflict: a number is
// held by somebody else, rests after somebody else, or is in use on the host; the message says by whom.
Result<std::vector<Bank>> claim_banks(store::Database& db, std::string_view what,
                                      const HostSources& host = {});

// As claim_banks() for what is there already, and creates nothing.
Result<std::vector<Bank>> find_banks(store::Database& db, std::string_view what);

// Gives a new name `count` banks from the pool. Code::conflict: the name is taken.
Result<std::vector<Bank>> create_named_banks(store::Database& db, std::string_view name, int64_t count,
                                             const HostSources& host = {});

// The banks with these numbers ("3", "1-3"), which nobody may hold yet, not even by their number.
Result<std::vector<Bank>> create_numbered_banks(store::Database& db, std::string_view numbers,
                                                const HostSources& host = {});

// Gives a new name the banks with the numbers of `numbers` ("3", "1-3").
Result<std::vector<Bank>> create_named_at(store::Database& db, std::string_view name,
                                          std::string_view numbers, const HostSources& host = {});

// Frees the banks of a name, or of a number or a range of them. Code::conflict while a container uses one;
// the message names those that do.
Result<> remove_named_banks(store::Database& db, std::string_view what, const HostSources& host = {});

// All names, and the numbers that were asked for, in ascending order of their first bank.
Result<std::vector<std::string>> bank_names(store::Database& db);

}  // namespace berth::ledger
