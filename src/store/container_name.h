// The name of a container, which no other one of the store has.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "store/database.h"

namespace berth::store {

// Code::conflict if a container has the name, with its id. `where`: by which the caller can choose another,
// for the hint.
Result<> check_name_is_free(Database& db, const std::string& name, std::string_view where);

// Within the caller's transaction. Code::conflict likewise.
Result<> set_container_name(Database& db, std::string_view id, const std::string& name);

}  // namespace berth::store
