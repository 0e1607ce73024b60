#include "cgroup/oom_watch.h"

#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fields.h"
#include "cgroup/control_file.h"
#include "sys/file.h"

namespace berth::cgroup {

Result<std::optional<OomWatch>> OomWatch::start(const Cgroup& cgroup) {
  const Cgroup::Part* part = cgroup.with_controller("memory");
  if (part == nullptr) return std::optional<OomWatch>();
  if (part->v2()) {
    OomWatch watch(TRY(sys::open_at(part->fd.get(), "memory.events", O_RDONLY)), true);
    TRY(watch.times());  // what has been is not told
    return std::optional(std::move(watch));
  }
  sys::UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return fail_errno(errno, "make an eventfd");
  OomWatch watch(std::move(event), false);
  watch.control_ = TRY(sys::open_at(part->fd.get(), "memory.oom_control", O_RDONLY));
  TRY(sys::write_control_file(part->fd.get(), "cgroup.event_control",
                              fmt::format("{} {}", watch.event_.get(), watch.control_.get())));
  return std::optional(std::move(watch));
}

short OomWatch::events() const {
  return v2_ ? POLLPRI : POLLIN;
}

Result<uint64_t> OomWatch::times() {
  if (!v2_) {
    uint64_t count = 0;
    if (::read(event_.get(), &count, sizeof count) != static_cast<ssize_t>(sizeof count)) {
      if (errno == EAGAIN) return uint64_t{0};
      return fail_errno(errno, "read an eventfd");
    }
    // The kernel also writes to it when the cgroup is removed; then there is nothing to read any more.
    char any = 0;
    return ::pread(control_.get(), &any, 1, 0) == 1 ? count : 0;
  }
  // Reading it from the beginning also makes poll(2) wait for the next change.
  constexpr size_t kLongest = 4096;
  if (::lseek(event_.get(), 0, SEEK_SET) < 0) return fail_errno(errno, "read memory.events");
  const std::string text = TRY(sys::read_all(event_.get(), kLongest));
  const uint64_t now = whole_number<uint64_t>(flat_value(text, "oom_kill")).value_or(0);
  return now - std::exchange(seen_, now);
}

}  // namespace berth::cgroup
