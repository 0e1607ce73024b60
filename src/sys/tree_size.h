// How much room the files of a tree take.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace berth::sys {

struct TreeSize {
  int64_t bytes = 0;  // of the blocks that the files have, each file once however many names it has
  int64_t entries = 0;
  bool whole = true;  // false: there is more that was not looked at
};

// Of all below `name` in the directory; links are not followed, and what is mounted below it is not looked
// at. Stops after `most` entries and does not look deeper than 256 directories. What goes meanwhile counts or
// does not; nothing there is nothing.
Result<TreeSize> measure_tree(int dirfd, const std::string& name, int64_t most = 2'000'000);

}  // namespace berth::sys
