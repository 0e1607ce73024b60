// The capability sets of the calling thread (capabilities(7)).
#pragma once

#include <cstdint>

#include "base/error.h"

namespace berth::sys {

// Bit n is capability number n.
struct CapabilitySets {
  uint64_t bounding = 0;
  uint64_t effective = 0;
  uint64_t permitted = 0;
  uint64_t inheritable = 0;
  uint64_t ambient = 0;

  // What of each set is in `mask`.
  [[nodiscard]] CapabilitySets within(uint64_t mask) const {
    return {bounding & mask, effective & mask, permitted & mask, inheritable & mask, ambient & mask};
  }
  template <typename A>
  void fields(A& a) {  // wire/archive.h
    a(bounding, effective, permitted, inheritable, ambient);
  }
  bool operator==(const CapabilitySets&) const = default;
};

// Drops everything outside `mask` from the bounding set. Needs CAP_SETPCAP.
Result<> limit_bounding_set(uint64_t mask);

// Sets effective, permitted, inheritable and ambient; what the thread does not have can't be given (EPERM).
Result<> set_capabilities(const CapabilitySets& sets);

// The calling thread's own bounding set.
uint64_t own_bounding_set();

// PR_SET_KEEPCAPS: keep the permitted set over the change of the UID that comes next.
Result<> keep_capabilities_over_setuid();

}  // namespace berth::sys
