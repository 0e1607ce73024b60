#include "sys/mount_api.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "sys/mount_place.h"

namespace berth::sys {

namespace {

bool kernel_lacks_mount_setattr = false;

}  // namespace

Result<> separate_mounts() {
  mount_attr attr{};
  attr.propagation = MS_PRIVATE;
  if (::mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof attr) == 0) return {};
  if (errno != ENOSYS) return fail_errno(errno, "make mounts private");
  kernel_lacks_mount_setattr = true;
  return propagate_attached(AT_FDCWD, "/", MS_SLAVE, true);
}

bool mounts_need_a_place() {
  return kernel_lacks_mount_setattr;
}

Result<UniqueFd> clone_tree(int dirfd, const std::string& path, bool recursive) {
  if (MountPlace* place = MountPlace::current(); place != nullptr)
    return place->clone(dirfd, path, recursive);
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | static_cast<unsigned>(AT_EMPTY_PATH) |
                         static_cast<unsigned>(AT_SYMLINK_NOFOLLOW) | (recursive ? AT_RECURSIVE : 0U);
  const int fd = ::open_tree(dirfd, path.c_str(), flags);
  if (fd < 0) return fail_errno(errno, "copy the mount {}", path);
  return UniqueFd(fd);
}

Result<FilesystemContext> FilesystemContext::open(const std::string& type) {
  if (MountPlace::current() != nullptr) return FilesystemContext({}, type);
  const int fd = ::fsopen(type.c_str(), FSOPEN_CLOEXEC);
  if (fd < 0) return fail_errno(errno, "open the file system type {}", type);
  return FilesystemContext(UniqueFd(fd), type);
}

std::unexpected<Error> FilesystemContext::explain(int err, const std::string& doing) const {
  std::string said;
  std::array<char, 1024> buffer{};
  // Messages come one a read, as "e <text>\n".
  for (ssize_t n = 0; (n = ::read(fd_.get(), buffer.data(), buffer.size())) > 2;) {
    std::string line(buffer.data() + 2, static_cast<size_t>(n) - 2);
    while (!line.empty() && line.back() == '\n') line.pop_back();
    said += (said.empty() ? "" : "; ") + line;
  }
  if (said.empty()) return fail_errno(err, "{} {}", doing, type_);
  return fail_errno(err, "{} {} ({})", doing, type_, said);
}

Result<> FilesystemContext::set(const std::string& key, const std::string& value) {
  if (!fd_) {
    collected_.emplace_back(key, value);
    return {};
  }
  if (::fsconfig(fd_.get(), FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0) != 0) {
    return explain(errno, fmt::format("set {}={} of", key, value));
  }
  return {};
}
Result<> FilesystemContext::set_flag(const std::string& key) {
  if (!fd_) {
    collected_.emplace_back(key, "");
    return {};
  }
  if (::fsconfig(fd_.get(), FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0) != 0) {
    return explain(errno, fmt::format("set {} of", key));
  }
  return {};
}
Result<> FilesystemContext::set_fd(const std::string& key, int fd) {
  if (!fd_) return fail_errno(EINVAL, "set {} of {} to a descriptor", key, type_);
  if (::fsconfig(fd_.get(), FSCONFIG_SET_FD, key.c_str(), nullptr, fd) != 0) {
    return explain(errno, fmt::format("set {} of", key));
  }
  return {};
}
Result<> FilesystemContext::create() {
  if (!fd_) return {};
  if (::fsconfig(fd_.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return explain(errno, "create");
  return {};
}
Result<UniqueFd> FilesystemContext::mount(unsigned attributes) {
  MountPlace* place = MountPlace::current();
  if (!fd_ && place != nullptr) return place->mount(type_, collected_, attributes);
  const int fd = ::fsmount(fd_.get(), FSMOUNT_CLOEXEC, attributes);
  if (fd < 0) return explain(errno, "mount");
  return UniqueFd(fd);
}

Result<> attach(int mount, int dirfd, const std::string& target) {
  if (MountPlace::current() != nullptr) return move_attached(mount, dirfd, target);
  const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (target.empty() ? MOVE_MOUNT_T_EMPTY_PATH : 0U);
  if (::move_mount(mount, "", dirfd, target.c_str(), flags) != 0) return fail_errno(errno, "attach a mount");
  return {};
}

namespace {
Result<> set_attr(int dirfd, const std::string& path, bool recursive, mount_attr attr, std::string_view doing,
                  int more_flags = 0) {
  const unsigned flags = static_cast<unsigned>(AT_EMPTY_PATH | more_flags) | (recursive ? AT_RECURSIVE : 0U);
  if (::mount_setattr(dirfd, path.c_str(), flags, &attr, sizeof attr) == 0) return {};
  return fail_errno(errno, "{}", doing);
}
}  // namespace

Result<> set_attributes(int mount, uint64_t set, uint64_t clear, bool recursive) {
  if (mounts_need_a_place()) return change_attached(mount, set, clear, recursive);
  mount_attr attr{};
  attr.attr_set = set;
  attr.attr_clr = clear;
  return set_attr(mount, "", recursive, attr, "change a mount's attributes");
}

Result<> set_propagation(int dirfd, const std::string& path, uint64_t propagation, bool recursive) {
  if (mounts_need_a_place()) return propagate_attached(dirfd, path, propagation, recursive);
  mount_attr attr{};
  attr.propagation = propagation;
  return set_attr(dirfd, path, recursive, attr, "change a mount's propagation");
}

Result<> set_id_mapping(int mount, int user_namespace, bool recursive) {
  mount_attr attr{};
  attr.attr_set = MOUNT_ATTR_IDMAP;
  attr.userns_fd = static_cast<__u64>(static_cast<unsigned>(user_namespace));
  // The flag changes nothing where there is no path. By it a system call filter, which does not see what
  // `attr` says, can tell this from other changes of mounts (tests/support/older_kernel.py).
  Result<> mapped = set_attr(mount, "", recursive, attr, "map the IDs of a mount", AT_SYMLINK_NOFOLLOW);
  if (!mapped && mapped.error().err == EINVAL) {
    mapped.error().hint =
        "The file system can't map IDs here; ext4, XFS, Btrfs and tmpfs (Linux 6.3) can. Another place for "
        "the store "
        "is given with --root.";
  }
  if (!mapped && mapped.error().err == ENOSYS)
    mapped.error().hint = "Mapping the IDs of mounts needs Linux 5.12.";
  return mapped;
}

}  // namespace berth::sys
