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

}  // namespace berth::cli
