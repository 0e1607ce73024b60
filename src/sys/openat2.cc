#include "sys/openat2.h"

#include <atomic>
#include <cerrno>

#include <fcntl.h>
#include <sys/syscall.h>

#include "sys/open_by_walk.h"

namespace berth::sys {

namespace {
std::atomic<bool> kernel_lacks_it = false;
}

Result<UniqueFd> open_at2(int dirfd, const std::string& path, uint64_t flags, uint64_t mode,
                          uint64_t resolve) {
  constexpr int kAttempts = 128;
  if (kernel_lacks_it) return open_by_walk(dirfd, path, flags, mode, resolve);
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve;
  for (int attempt = 0;; ++attempt) {
    const long fd = ::syscall(SYS_openat2, dirfd, path.c_str(), &how, sizeof how);
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    const int err = errno;
    if (err == ENOSYS) {
      kernel_lacks_it = true;
      return open_by_walk(dirfd, path, flags, mode, resolve);
    }
    if ((err == EAGAIN || err == EINTR) && attempt < kAttempts) continue;
    return fail_errno(err, "open {}", path);
  }
}

}  // namespace berth::sys
