// Users that a container's passwd names and its map has not got.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "idmap/id_map.h"

namespace berth::engine {

// The sentence that says how many and who the first are; nullopt where there are none. One pass over the
// text, which is hostile.
std::optional<std::string> unmapped_users_warning(std::string_view passwd, const idmap::IdMap& uids);

}  // namespace berth::engine
