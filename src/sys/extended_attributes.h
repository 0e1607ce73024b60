// Extended attributes of files, read as a whole (xattr(7)).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace berth::sys {

using ExtendedAttributes = std::vector<std::pair<std::string, std::string>>;

// Of an open file, O_PATH too; in the file system's order. None where it knows no such thing. One that goes
// meanwhile is left out.
Result<ExtendedAttributes> read_attributes(int fd);

// Of `name` in the directory, not followed: that of a link too.
Result<ExtendedAttributes> read_attributes_at(int dirfd, const std::string& name);

}  // namespace berth::sys
