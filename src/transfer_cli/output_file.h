// The file that a person names with --output.
#pragma once

#include <functional>
#include <string>

#include <sys/types.h>

#include "base/error.h"

namespace berth::transfer_cli {

// A file appears whole or not at all, with `mode`; what is there already and no file (a pipe, a device) is
// written to.
Result<> write_output(const std::string& path, mode_t mode, const std::function<Result<>(int fd)>& write);

}  // namespace berth::transfer_cli
