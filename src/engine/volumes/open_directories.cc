#include "engine/volumes/open_directories.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>

#include "config/policy_checks.h"
#include "engine/identity/host_accounts.h"
#include "engine/volumes/host_reach.h"
#include "engine/volumes/mount_ids.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

// Whether what belongs to UID 0 on disk belongs to somebody in the container.
Result<bool> shows_root(const MountIds& ids, const std::optional<idmap::IdMap>& users) {
  if (ids.way == MountIds::Way::confine) {
    const HostAccount account =
        TRY_CONTEXT(find_host_account(ids.confined_to), "confine={}", ids.confined_to);
    return account.uid.value() == 0;
  }
  if (!ids.uids.empty()) {
    return std::any_of(ids.uids.begin(), ids.uids.end(),
                       [](const IdTriple& triple) { return triple.disk == 0 && triple.count > 0; });
  }
  if (!users) return true;
  if (ids.way == MountIds::Way::idmap) return users->to_host(ContainerUid(0)).has_value();
  return users->to_container(HostUid(0)).has_value();
}

}  // namespace

Result<> check_open_directories(const ContainerSpec& spec, const std::optional<idmap::IdMap>& users,
                                const config::Config& config) {
  if (config.policy.allow_open_directories.value) return {};
  for (const MountSpec& mount : spec.mounts) {
    if (mount.type != "bind" || mount.read_only) continue;
    const MountIds ids = TRY(mount_ids(mount));
    if (!TRY_CONTEXT(shows_root(ids, users), "mount {}", mount.target)) continue;
    TRY_CONTEXT(sys::stat_at(AT_FDCWD, mount.source, 0), "mount {}: look at {}", mount.target, mount.source);
    if (!reachable_by_users(mount.source)) continue;
    TRY(config::check_open_directory(config, fmt::format("mount {} of {}", mount.target, mount.source)));
  }
  return {};
}

}  // namespace berth::engine
