// Removing several things of one kind.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"

namespace berth::cli {

// Removes one after the other and prints the name of each for which `remove` has said true. What fails is
// reported, and the others still go. Returns the exit status as podman has it: 0, 1 for one that is not
// there, 2 for one that is in use, 125 for anything else, and of several the greatest.
int remove_each(const std::vector<std::string>& names,
                const std::function<Result<bool>(const std::string&)>& remove);

// For what was unused when it was listed: removes one after the other and prints the name of each. One that
// is used or gone by now is passed over; the first other error ends it.
template <typename T, typename Remove, typename Name>
Result<> remove_unused(const std::vector<T>& things, Remove remove, Name name) {
  for (const T& thing : things) {
    const Result<> removed = remove(thing);
    const bool changed =
        !removed && (removed.error().code == Code::conflict || removed.error().code == Code::not_found);
    if (!removed && !changed) return removed;
    if (removed) fmt::print("{}\n", name(thing));
  }
  return {};
}

}  // namespace berth::cli
