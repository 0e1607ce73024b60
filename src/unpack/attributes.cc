#include "unpack/attributes.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/descriptor_path.h"

namespace berth::unpack {

namespace {

// What an error of *setxattr(2) means. A file system without a kind of attribute gets on without it, as in
// other engines; a damaged value is an error.
Result<> xattr_failed(int err, const std::string& name, std::string_view path) {
  // user.* is for files and directories only, and the kernel says EPERM for the rest.
  if (err == EOPNOTSUPP || (err == EPERM && name.starts_with("user."))) {
    log::debug("the file system takes no attribute {} on {}", name, path);
    return {};
  }
  Error error = fail_errno(err, "set the attribute {} of {}", name, path).error();
  if (err == ENOSPC || err == E2BIG)
    error.hint = "The file system below --root may not take attributes this large.";
  return std::unexpected(std::move(error));
}

std::array<timespec, 2> both_times(timespec mtime) {
  return {mtime, mtime};
}

}  // namespace

bool image_may_set_xattr(std::string_view name) {
  return !name.starts_with("trusted.") && name != "security.selinux";
}

Result<> apply_attributes(int fd, const Attributes& attributes, std::string_view path) {
  // In this order: chown clears setuid bits and capabilities. A new file is root's.
  if ((attributes.uid != 0 || attributes.gid != 0) && ::fchown(fd, attributes.uid, attributes.gid) != 0) {
    return fail_errno(errno, "set the owner of {}", path);
  }
  if (::fchmod(fd, attributes.mode) != 0) return fail_errno(errno, "set the mode of {}", path);
  for (const auto& [name, value] : attributes.xattrs) {
    if (!image_may_set_xattr(name)) continue;
    if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) != 0) {
      TRY(xattr_failed(errno, name, path));
    }
  }
  const std::array<timespec, 2> times = both_times(attributes.mtime);
  if (::futimens(fd, times.data()) != 0) return fail_errno(errno, "set the time of {}", path);
  return {};
}

Result<> apply_attributes_at(int dirfd, const std::string& name, const Attributes& attributes, bool is_link,
                             std::string_view path) {
  if ((attributes.uid != 0 || attributes.gid != 0) &&
      ::fchownat(dirfd, name.c_str(), attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno(errno, "set the owner of {}", path);
  }
  // The caller has made it itself a moment ago in a directory that is only root's, so it is no link.
  if (!is_link && ::fchmodat(dirfd, name.c_str(), attributes.mode, 0) != 0) {
    return fail_errno(errno, "set the mode of {}", path);
  }
  for (const auto& [key, value] : attributes.xattrs) {
    if (!image_may_set_xattr(key)) continue;
    // There is no *at form before Linux 6.13; through the descriptor only the last part is looked up.
    const std::string through_fd = sys::descriptor_path(dirfd, name);
    if (::lsetxattr(through_fd.c_str(), key.c_str(), value.data(), value.size(), 0) != 0) {
      TRY(xattr_failed(errno, key, path));
    }
  }
  const std::array<timespec, 2> times = both_times(attributes.mtime);
  if (::utimensat(dirfd, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno(errno, "set the time of {}", path);
  }
  return {};
}

Result<Attributes> read_attributes(int fd) {
  struct stat st{};
  if (::fstat(fd, &st) != 0) return fail_errno(errno, "stat a directory");
  Attributes attributes{st.st_mode & 07777U, st.st_uid, st.st_gid, st.st_mtim, {}};
  std::string names(XATTR_LIST_MAX, '\0');
  const ssize_t length = ::flistxattr(fd, names.data(), names.size());
  if (length < 0 && errno == EOPNOTSUPP) return attributes;
  if (length < 0) return fail_errno(errno, "list the attributes of a directory");
  names.resize(static_cast<size_t>(length));
  std::string value(XATTR_SIZE_MAX, '\0');
  for (size_t begin = 0; begin < names.size();) {
    const std::string name = names.c_str() + begin;
    begin += name.size() + 1;
    if (!image_may_set_xattr(name)) continue;
    const ssize_t size = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
    if (size < 0) return fail_errno(errno, "read the attribute {} of a directory", name);
    attributes.xattrs.emplace_back(name, value.substr(0, static_cast<size_t>(size)));
  }
  return attributes;
}

}  // namespace berth::unpack
