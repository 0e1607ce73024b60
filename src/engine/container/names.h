// Names for containers whose owner has not chosen one.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::engine {

// "brisk_lugger"; not checked for being free.
Result<std::string> made_up_name();

// [a-zA-Z0-9][a-zA-Z0-9_.-]*, as podman and Docker have it.
Result<> check_name(std::string_view name);

}  // namespace berth::engine
