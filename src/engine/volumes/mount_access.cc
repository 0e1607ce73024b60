#include "engine/volumes/mount_access.h"

#include <algorithm>

#include <sys/stat.h>
#include <sys/xattr.h>

#include "engine/ids/kept_groups.h"

namespace berth::engine {

namespace {

bool is_group_of(const MountUser& user, gid_t owner) {
  if (user.user.keeps_groups) {
    const Result<std::vector<HostGid>> kept = own_groups();
    if (kept && std::find(kept->begin(), kept->end(), HostGid(owner)) != kept->end()) return true;
  }
  const auto group = user.gid_map->to_container(HostGid(owner));
  return group &&
         std::find(user.user.groups.begin(), user.user.groups.end(), *group) != user.user.groups.end();
}

bool may_write(const struct stat& st, const MountUser& user) {
  const auto owner = user.uid_map->to_container(HostUid(st.st_uid));
  const auto group = user.gid_map->to_container(HostGid(st.st_gid));
  // A capability counts only for what belongs to the namespace (capable_wrt_inode_uidgid in the kernel).
  if (user.overrides_modes && owner && group) return true;
  const mode_t wanted = S_ISDIR(st.st_mode) ? S_IWOTH | S_IXOTH : S_IWOTH;
  constexpr unsigned kOwner = 6;
  constexpr unsigned kGroup = 3;
  const unsigned shift = owner == user.user.uid ? kOwner : is_group_of(user, st.st_gid) ? kGroup : 0;
  return ((st.st_mode >> shift) & wanted) == wanted;
}

}  // namespace

std::optional<std::string> write_hint(const MountSpec& mount, const MountUser& user) {
  if (mount.read_only || mount.type != "bind" || !user.uid_map || !user.gid_map) return std::nullopt;
  struct stat st{};
  // What is not there is an error of its own, a little later.
  if (::stat(mount.source.c_str(), &st) != 0) return std::nullopt;
  if ((!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)) || may_write(st, user)) return std::nullopt;
  if (::getxattr(mount.source.c_str(), "system.posix_acl_access", nullptr, 0) > 0) return std::nullopt;
  return fmt::format(
      "{} belongs to {}:{} of the host, and UID {} of the container can't write there; the option idmap maps "
      "its "
      "owners, confine= makes one user of the container one of the host's, ro says that reading is enough",
      mount.source, st.st_uid, st.st_gid, user.user.uid.value());
}

}  // namespace berth::engine
