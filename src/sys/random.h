// Random bytes of the kernel's, as text.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"

namespace berth::sys {

// `bytes` random bytes (256 at most, getrandom(2)) as twice as many hexadecimal digits.
Result<std::string> random_hex(size_t bytes);

}  // namespace berth::sys
