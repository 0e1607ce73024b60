#include "sys/extended_attributes.h"

#include <cerrno>
#include <climits>
#include <string_view>

#include <sys/xattr.h>

#include "sys/descriptor_path.h"

namespace berth::sys {

namespace {

using List = ssize_t (*)(const char* path, char* names, size_t size);
using Get = ssize_t (*)(const char* path, const char* name, void* value, size_t size);

Result<ExtendedAttributes> read_by(const std::string& path, List list, Get get) {
  thread_local std::vector<char> names(XATTR_LIST_MAX);
  thread_local std::vector<char> value(XATTR_SIZE_MAX);
  ExtendedAttributes found;
  const ssize_t length = list(path.c_str(), names.data(), names.size());
  if (length < 0 && errno == EOPNOTSUPP) return found;
  if (length < 0) return fail_errno(errno, "list the extended attributes");
  const std::string_view all(names.data(), static_cast<size_t>(length));
  for (size_t begin = 0; begin < all.size();) {
    const std::string name(all.substr(begin, all.find('\0', begin) - begin));
    begin += name.size() + 1;
    const ssize_t size = get(path.c_str(), name.c_str(), value.data(), value.size());
    if (size < 0 && errno == ENODATA) continue;
    if (size < 0) return fail_errno(errno, "read the extended attribute {}", name);
    found.emplace_back(name, std::string(value.data(), static_cast<size_t>(size)));
  }
  return found;
}

}  // namespace

Result<ExtendedAttributes> read_attributes(int fd) {
  // An O_PATH descriptor has no calls of its own; its magic link has.
  return read_by(descriptor_path(fd), ::listxattr, ::getxattr);
}

Result<ExtendedAttributes> read_attributes_at(int dirfd, const std::string& name) {
  // There is no *at form before Linux 6.13; through the descriptor only the last part is looked up.
  return read_by(descriptor_path(dirfd, name), ::llistxattr, ::lgetxattr);
}

}  // namespace berth::sys
