// What a running container has of users now: its root may have changed all of it since the start.
#pragma once

#include <optional>
#include <string>

#include "engine/identity/users.h"
#include "safepath/root.h"

namespace berth::engine {

struct RunningAccounts {
  std::optional<std::string> passwd;  // nullopt where there is none
  std::optional<std::string> group;

  [[nodiscard]] AccountFiles files() const { return {passwd, group}; }
};

// `root` is the container's, as one of its processes has it. A file that can't be one (a device, a FIFO, a
// link to nowhere, one beyond kMaxAccountFileBytes) counts as none, and the log says so.
RunningAccounts accounts_in(const safepath::Root& root);

// HOME by choose_home(), as the container's directories are now.
std::string home_in(const safepath::Root& root, const ResolvedUser& user, std::string_view working_directory,
                    const idmap::IdMap& uids, const idmap::IdMap& gids);

}  // namespace berth::engine
