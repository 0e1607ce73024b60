#include "engine/identity/running_accounts.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/accounts.h"
#include "base/log.h"
#include "engine/identity/identity.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

std::optional<std::string> read_accounts(const safepath::Root& root, const char* path) {
  Result<std::string> text = root.read_file(path, kMaxAccountFileBytes);
  if (text) return std::move(*text);
  if (text.error().err != ENOENT)
    log::warn("the container's /{} is not used: {}", path, text.error().message);
  return std::nullopt;
}

}  // namespace

RunningAccounts accounts_in(const safepath::Root& root) {
  return {read_accounts(root, "etc/passwd"), read_accounts(root, "etc/group")};
}

std::string home_in(const safepath::Root& root, const ResolvedUser& user, std::string_view working_directory,
                    const idmap::IdMap& uids, const idmap::IdMap& gids) {
  // Nobody's, where it is an ID that the container does not have.
  constexpr uint32_t kNobody = 65534;
  const auto can_live_in = [&](std::string_view path) {
    const Result<sys::UniqueFd> directory = root.open(path, O_PATH | O_DIRECTORY);
    if (!directory) return false;
    Result<struct stat> found = sys::stat_at(directory->get(), "", AT_EMPTY_PATH);
    if (!found) return false;
    found->st_uid = uids.to_container(HostUid(found->st_uid)).value_or(ContainerUid(kNobody)).value();
    found->st_gid = gids.to_container(HostGid(found->st_gid)).value_or(ContainerGid(kNobody)).value();
    return may_write(*found, user);
  };
  return choose_home(can_live_in, user, working_directory);
}

}  // namespace berth::engine
