// The file that a person names with --output.
#pragma once

#include <functional>
#include <string>

#include <sys/types.h>

#include "base/error.h"

namespace berth::transfer_cli {

// A file appears whole or not at all, with `mode`; what is there already and no file (a pipe, a device) is
// written to. Until it is whole it has no name (O_TMPFILE), so nothing is left of one whose writer is killed.
// To take the place of another it needs a name, "FILE.PID.part", for the time of one rename; and for all the
// time where the file system has no files without names.
Result<> write_output(const std::string& path, mode_t mode, const std::function<Result<>(int fd)>& write);

}  // namespace berth::transfer_cli
