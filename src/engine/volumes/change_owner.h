// Giving a tree another owner, with its price told first (the mount option U).
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/ids.h"

namespace berth::engine {

// Gives `source` (a directory or a file of the host's, or a volume's) and all below it to the user and group,
// but for what they have already and what other file systems are mounted below. By descriptor: no link is
// followed. Says on standard error how many files that concerns before the first one is changed, and gives
// their number. Code::refused for a directory of the host's own system.
Result<uint64_t> change_owner(const std::string& source, HostUid uid, HostGid gid);

}  // namespace berth::engine
