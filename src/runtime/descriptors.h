// Which descriptors a process that is being set up has.
#pragma once

#include <climits>
#include <span>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

struct Placement {
  sys::UniqueFd* fd;  // close-on-exec at its new place; an invalid one leaves its place empty
  int number;
};

// Puts them at their numbers, all below `first_free`, and closes everything from there on; nothing above
// `highest` is open any more. The objects own nothing afterwards.
Result<> place_descriptors(std::span<const Placement> places, int first_free, int highest = INT_MAX);

}  // namespace berth::runtime
