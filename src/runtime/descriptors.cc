#include "runtime/descriptors.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "sys/close_descriptors.h"

namespace berth::runtime {

Result<> place_descriptors(std::span<const Placement> places, int first_free, int highest) {
  // First out of the way of each other, then to their places.
  for (const Placement& place : places) {
    if (!place.fd->valid()) continue;
    const int high = ::fcntl(place.fd->get(), F_DUPFD_CLOEXEC, first_free);
    if (high < 0) return fail_errno(errno, "arrange the descriptors");
    highest = std::max(highest, high);
    [[maybe_unused]] const int closed_below = place.fd->release();
    *place.fd = sys::UniqueFd(high);
  }
  for (const Placement& place : places) {
    // What an unused number stood for until now would stay otherwise.
    if (!place.fd->valid()) ::close(place.number);
    if (place.fd->valid() && ::dup3(place.fd->release(), place.number, O_CLOEXEC) < 0)
      return fail_errno(errno, "arrange the descriptors");
  }
  return sys::close_descriptors(first_free, highest);
}

}  // namespace berth::runtime
