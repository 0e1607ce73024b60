// What is in a file, copied into another one.
#pragma once

#include <functional>

#include <sys/stat.h>

#include "base/error.h"

namespace berth::sys {

// Copies all that is in the regular file `from`, whose attributes are given, into `to`, which is empty and
// open for writing: its blocks are shared where the file system can (FICLONE, copy_file_range(2)), and holes
// stay holes. Neither descriptor's position matters after it. Asks `interrupted`, if there is one, every 16
// MiB, and fails if it says so. An error if the file is shorter by then than its attributes say.
Result<> copy_content(int from, int to, const struct stat& attributes,
                      const std::function<bool()>& interrupted = {});

}  // namespace berth::sys
