#include "sys/companion.h"

#include <array>
#include <cerrno>
#include <climits>

#include <unistd.h>

namespace berth::sys {

Result<std::string> companion_path(const std::string& name) {
  std::array<char, PATH_MAX> buffer{};
  const ssize_t length = ::readlink("/proc/self/exe", buffer.data(), buffer.size());
  if (length <= 0) return fail_errno(errno, "find this program's own path");
  const std::string self(buffer.data(), static_cast<size_t>(length));
  const std::string directory = self.substr(0, self.rfind('/'));
  for (const char* place : {"/", "/../libexec/berth/", "/../../bin/"}) {
    std::string candidate = directory + place + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return fail("{} is missing: it should be in {} or in {}/../libexec/berth", name, directory, directory);
}

}  // namespace berth::sys
