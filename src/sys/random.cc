#include "sys/random.h"

#include <cerrno>
#include <vector>

#include <sys/random.h>

namespace berth::sys {

Result<std::string> random_hex(size_t bytes) {
  std::vector<unsigned char> random(bytes);
  if (::getrandom(random.data(), bytes, 0) != static_cast<ssize_t>(bytes))
    return fail_errno(errno, "get random bytes");
  std::string text;
  for (const unsigned char byte : random) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace berth::sys
