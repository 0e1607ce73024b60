#include "runtime/inherited.h"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

#include "base/fields.h"

namespace berth::runtime {

namespace {

constexpr int kFirst = 3;
unsigned inherited = 0;

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

unsigned of_socket_activation() {
  const char* count = ::getenv("LISTEN_FDS");
  const char* process = ::getenv("LISTEN_PID");
  if (count == nullptr || process == nullptr || whole_number<pid_t>(process) != ::getpid()) return 0;
  return whole_number<uint8_t>(count).value_or(0);
}

}  // namespace

Result<> settle_inherited() {
  for (int stream = 0; stream < kFirst; ++stream) {
    if (is_open(stream)) continue;
    // The lowest number that is free.
    if (::open("/dev/null", O_RDWR | O_NOCTTY) != stream) return fail_errno(errno, "open /dev/null");
  }
  inherited = 0;
  while (is_open(kFirst + static_cast<int>(inherited))) ++inherited;
  return {};
}

Result<unsigned> preserved_descriptors(int wanted) {
  const unsigned all = static_cast<unsigned>(wanted) + of_socket_activation();
  if (all <= inherited) return all;
  return fail(Code::usage, "descriptor {} is to be handed on, and is not open", kFirst + inherited);
}

}  // namespace berth::runtime
