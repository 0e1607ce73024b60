// HOME of a user who was given none.
#pragma once

#include <cstdint>
#include <string>

#include "safepath/root.h"

namespace berth::lifecycle {

// By the container's own passwd; "/" where that does not have the user, as runc and crun have it.
std::string home_of(const safepath::Root& root, uint32_t uid);

}  // namespace berth::lifecycle
