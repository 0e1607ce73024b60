#include "runtime/descriptors.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace berth::runtime {

Result<> place_descriptors(std::span<const Placement> places, int first_free) {
  // First out of the way of each other, then to their places.
  for (const Placement& place : places) {
    if (!place.fd->valid()) continue;
    const int high = ::fcntl(place.fd->get(), F_DUPFD_CLOEXEC, first_free);
    if (high < 0) return fail_errno(errno, "arrange the descriptors");
    [[maybe_unused]] const int closed_below = place.fd->release();
    *place.fd = sys::UniqueFd(high);
  }
  for (const Placement& place : places) {
    // What an unused number stood for until now would stay otherwise.
    if (!place.fd->valid()) ::close(place.number);
    if (place.fd->valid() && ::dup3(place.fd->release(), place.number, O_CLOEXEC) < 0)
      return fail_errno(errno, "arrange the descriptors");
  }
  if (::syscall(SYS_close_range, static_cast<unsigned>(first_free), ~0U, 0U) != 0)
    return fail_errno(errno, "close the other descriptors");
  return {};
}

}  // namespace berth::runtime
