#include "sys/inotify.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "sys/file.h"

namespace berth::sys {

Result<DirectoryWatch> DirectoryWatch::open(int dirfd, const std::string& path) {
  const UniqueFd directory = TRY(open_at(dirfd, path, O_PATH | O_DIRECTORY));
  UniqueFd inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify) return fail_errno(errno, "watch {}", path);
  constexpr uint32_t kChanges =
      IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF;
  const std::string link = fmt::format("/proc/self/fd/{}", directory.get());
  if (::inotify_add_watch(inotify.get(), link.c_str(), kChanges) < 0)
    return fail_errno(errno, "watch {}", path);
  return DirectoryWatch(std::move(inotify));
}

void DirectoryWatch::take() const {
  alignas(inotify_event) std::array<char, 4096> events;  // NOLINT(*-member-init): read(2) fills it
  while (::read(inotify_.get(), events.data(), events.size()) > 0) continue;
}

bool DirectoryWatch::wait(int timeout_ms) const {
  pollfd changed{inotify_.get(), POLLIN, 0};
  if (::poll(&changed, 1, timeout_ms) <= 0) return false;
  take();
  return true;
}

}  // namespace berth::sys
