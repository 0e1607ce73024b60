#include "engine/translation/translate_entry.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <vector>

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "idmap/shifted_attributes.h"
#include "sys/copy_content.h"
#include "sys/descriptor_path.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

// What a copy can't have or must not: a label is the host policy's, an EVM value belongs to one inode, and
// the rest is what overlayfs notes of where a file in an upper layer came from.
constexpr std::array<std::string_view, 7> kOwnToInode{
    "security.selinux",      "security.evm",          "trusted.overlay.origin", "trusted.overlay.impure",
    "trusted.overlay.nlink", "trusted.overlay.upper", "trusted.overlay.uuid"};

std::array<timespec, 2> times_of(const struct stat& attributes) {
  return {attributes.st_atim, attributes.st_mtim};
}

// A file's attributes are read and written by its descriptor, or by a path where it can't be opened.
struct ByDescriptor {
  int from;
  int to;
  [[nodiscard]] ssize_t list(char* into, size_t size) const { return ::flistxattr(from, into, size); }
  ssize_t get(const char* name, char* into, size_t size) const { return ::fgetxattr(from, name, into, size); }
  int set(const char* name, const std::string& value) const {
    return ::fsetxattr(to, name, value.data(), value.size(), 0);
  }
};
// There is no *at form before Linux 6.13; through the descriptor only the last part is looked up.
struct ByName {
  ByName(int source, int target, const std::string& name)
      : from(sys::descriptor_path(source, name)), to(sys::descriptor_path(target, name)) {}
  [[nodiscard]] ssize_t list(char* into, size_t size) const { return ::llistxattr(from.c_str(), into, size); }
  ssize_t get(const char* name, char* into, size_t size) const {
    return ::lgetxattr(from.c_str(), name, into, size);
  }
  int set(const char* name, const std::string& value) const {
    return ::lsetxattr(to.c_str(), name, value.data(), value.size(), 0);
  }
  std::string from;
  std::string to;
};

template <typename File>
Result<> copy_attribute(const File& file, const std::string& name, const idmap::Shift& shift) {
  thread_local std::vector<char> buffer(XATTR_SIZE_MAX);
  const ssize_t size = file.get(name.c_str(), buffer.data(), buffer.size());
  if (size < 0) return fail_errno(errno, "read the attribute {}", name);
  const std::string value =
      TRY(idmap::shifted_attribute(name, {buffer.data(), static_cast<size_t>(size)}, shift));
  if (file.set(name.c_str(), value) != 0) return fail_errno(errno, "set the attribute {}", name);
  return {};
}

template <typename File>
Result<> copy_attributes(const File& file, const idmap::Shift& shift) {
  thread_local std::vector<char> names(XATTR_LIST_MAX);
  const ssize_t length = file.list(names.data(), names.size());
  if (length < 0 && errno == EOPNOTSUPP) return {};
  if (length < 0) return fail_errno(errno, "list the attributes");
  const std::string_view all(names.data(), static_cast<size_t>(length));
  for (size_t begin = 0; begin < all.size();) {
    const std::string name(all.substr(begin, all.find('\0', begin) - begin));
    begin += name.size() + 1;
    if (std::find(kOwnToInode.begin(), kOwnToInode.end(), name) != kOwnToInode.end()) continue;
    TRY(copy_attribute(file, name, shift));
  }
  return {};
}

}  // namespace

// In this order: chown clears setuid bits and capabilities, and all but the times changes the times.
Result<> EntryCopier::give(int fd, const struct stat& attributes) const {
  if (::fchown(fd, shift.users(attributes.st_uid), shift.groups(attributes.st_gid)) != 0)
    return fail_errno(errno, "set the owner");
  if (::fchmod(fd, attributes.st_mode & 07777U) != 0) return fail_errno(errno, "set the mode");
  return {};
}

Result<> EntryCopier::copy_regular(int source, int target, const std::string& name) const {
  const sys::UniqueFd from = TRY(sys::open_at(source, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  struct stat attributes{};
  if (::fstat(from.get(), &attributes) != 0) return fail_errno(errno, "stat it");
  if (!S_ISREG(attributes.st_mode)) return fail(Code::refused, "it has just become something else");
  const sys::UniqueFd to = TRY(sys::open_at(target, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  TRY(sys::copy_content(from.get(), to.get(), attributes, interrupted));
  TRY(give(to.get(), attributes));
  TRY(copy_attributes(ByDescriptor{from.get(), to.get()}, shift));
  if (::futimens(to.get(), times_of(attributes).data()) != 0) return fail_errno(errno, "set the times");
  return {};
}

Result<> EntryCopier::copy_other(int source, int target, const std::string& name,
                                 const struct stat& attributes) const {
  const bool link = S_ISLNK(attributes.st_mode);
  if (link) {
    std::string text(PATH_MAX, '\0');
    const ssize_t length = ::readlinkat(source, name.c_str(), text.data(), text.size());
    if (length < 0) return fail_errno(errno, "read the link");
    text.resize(static_cast<size_t>(length));
    if (::symlinkat(text.c_str(), target, name.c_str()) != 0) return fail_errno(errno, "make the link");
  } else if (::mknodat(target, name.c_str(), (attributes.st_mode & static_cast<mode_t>(S_IFMT)) | 0600,
                       attributes.st_rdev) != 0) {
    return fail_errno(errno, "make the node");
  }
  if (::fchownat(target, name.c_str(), shift.users(attributes.st_uid), shift.groups(attributes.st_gid),
                 AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno(errno, "set the owner");
  // Made here a moment ago in a directory that only root can enter, so it is no link.
  if (!link && ::fchmodat(target, name.c_str(), attributes.st_mode & 07777U, 0) != 0)
    return fail_errno(errno, "set the mode");
  TRY(copy_attributes(ByName(source, target, name), shift));
  if (::utimensat(target, name.c_str(), times_of(attributes).data(), AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno(errno, "set the times");
  return {};
}

Result<> EntryCopier::copy(int source, int target, const std::string& name,
                           const struct stat& attributes) const {
  if (S_ISREG(attributes.st_mode)) return copy_regular(source, target, name);
  return copy_other(source, target, name, attributes);
}

Result<> EntryCopier::copy_directory_attributes(int source, int target, const struct stat& attributes) const {
  TRY(give(target, attributes));
  TRY(copy_attributes(ByDescriptor{source, target}, shift));
  if (::futimens(target, times_of(attributes).data()) != 0) return fail_errno(errno, "set the times");
  return {};
}

}  // namespace berth::engine
