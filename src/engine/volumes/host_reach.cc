#include "engine/volumes/host_reach.h"

#include <climits>
#include <cstdlib>
#include <string>

#include <sys/stat.h>
#include <sys/xattr.h>

namespace berth::engine {

namespace {

bool is_roots_alone(const std::string& directory) {
  struct stat st{};
  if (::stat(directory.c_str(), &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != 0) return false;
  if ((st.st_mode & S_IXOTH) != 0 || ((st.st_mode & S_IXGRP) != 0 && st.st_gid != 0)) return false;
  return ::getxattr(directory.c_str(), "system.posix_acl_access", nullptr, 0) <= 0;
}

}  // namespace

bool reachable_by_users(const std::string& path) {
  std::string real(PATH_MAX, '\0');
  if (::realpath(path.c_str(), real.data()) == nullptr) return true;
  real.resize(real.find('\0'));
  for (size_t end = real.rfind('/'); end != std::string::npos && end != 0; end = real.rfind('/', end - 1)) {
    if (is_roots_alone(real.substr(0, end))) return false;
  }
  return true;
}

}  // namespace berth::engine
