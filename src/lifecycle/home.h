// HOME of a user who was given none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "safepath/root.h"

namespace berth::lifecycle {

// Adds HOME to an environment that has none, as runc and crun have it, though the specification does not say
// so: by the container's own passwd, and "/" where that does not have the user.
void add_home(std::vector<std::string>& environment, const safepath::Root& root, uint32_t uid);

}  // namespace berth::lifecycle
