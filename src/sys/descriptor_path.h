// Descriptors as paths, for system calls that take no descriptor (proc_pid_fd(5)). /proc must be the host's.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::sys {

// A path that leads to what the descriptor stands for, whatever has happened to its name. `name`: something
// in that directory.
std::string descriptor_path(int fd, std::string_view name = {});

// Where the descriptor's file is now, as the caller sees it; one that has been removed, or is in no mount of
// the caller's, has a path that does not lead there.
Result<std::string> path_of_descriptor(int fd);

}  // namespace berth::sys
