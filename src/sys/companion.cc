#include "sys/companion.h"

#include <array>
#include <cerrno>
#include <climits>

#include <sys/stat.h>
#include <unistd.h>

namespace berth::sys {

namespace {

std::string named;  // NOLINT(cert-err58-cpp): empty, which can't fail

bool is_own_program(const std::string& path) {
  struct stat there{};
  struct stat own{};
  return ::stat(path.c_str(), &there) == 0 && ::stat("/proc/self/exe", &own) == 0 &&
         there.st_dev == own.st_dev && there.st_ino == own.st_ino;
}

Result<std::string> find_companion(const std::string& self, const std::string& name) {
  const std::string directory = self.substr(0, self.rfind('/'));
  for (const char* place : {"/", "/../libexec/berth/", "/../../bin/"}) {
    std::string candidate = directory + place + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return fail("{} is missing: it should be in {} or in {}/../libexec/berth", name, directory, directory);
}

}  // namespace

void name_own_program(const std::string& path) {
  if (path.starts_with('/')) named = path;
}

Result<std::string> own_program_path() {
  std::array<char, PATH_MAX> buffer{};
  const ssize_t length = ::readlink("/proc/self/exe", buffer.data(), buffer.size());
  if (length <= 0) return fail_errno(errno, "find this program's own path");
  std::string self(buffer.data(), static_cast<size_t>(length));
  return named.empty() || is_own_program(self) ? self : named;
}

Result<std::string> companion_path(const std::string& name) {
  return find_companion(TRY(own_program_path()), name);
}

}  // namespace berth::sys
