#include "sys/close_descriptors.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fields.h"
#include "sys/file.h"

namespace berth::sys {

namespace {

Result<> close_listed(int first, int last) {
  const UniqueFd directory = TRY(open_at(AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY));
  for (const std::string& name : TRY(list_dir(directory.get()))) {
    const auto fd = whole_number<int>(name);
    if (fd && *fd >= first && *fd <= last && *fd != directory.get()) ::close(*fd);
  }
  return {};
}

}  // namespace

Result<> close_descriptors(int first, int last) {
  constexpr int kNear = 4096;
  if (first > last) return {};
  if (::syscall(SYS_close_range, static_cast<unsigned>(first), static_cast<unsigned>(last), 0U) == 0)
    return {};
  if (errno != ENOSYS) return fail_errno(errno, "close the other descriptors");
  if (last - first > kNear) {
    TRY_CONTEXT(close_listed(first, last), "close the other descriptors");
  } else {
    for (int fd = first; fd <= last; ++fd) ::close(fd);
  }
  return {};
}

}  // namespace berth::sys
