#include "sys/descriptor_path.h"

#include <cerrno>
#include <climits>

#include <unistd.h>

namespace berth::sys {

std::string descriptor_path(int fd, std::string_view name) {
  return fmt::format("/proc/self/fd/{}{}{}", fd, name.empty() ? "" : "/", name);
}

Result<std::string> path_of_descriptor(int fd) {
  std::string path(PATH_MAX, '\0');
  const ssize_t length = ::readlink(descriptor_path(fd).c_str(), path.data(), path.size());
  if (length < 0) return fail_errno(errno, "find out where a descriptor's file is");
  path.resize(static_cast<size_t>(length));
  return path;
}

}  // namespace berth::sys
