// What files take on disk.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace berth::sys {

// The bytes that the disk has given to all below `path` and to it itself; what has several names counts once.
// Links are not followed; what goes away meanwhile, or
// lies deeper than 500 directories, does not count. ENOENT if `path` itself is not there.
Result<int64_t> disk_usage_at(int dirfd, const std::string& path);

}  // namespace berth::sys
