// --log: where conmon, containerd's shim and others look for the reason of a failure.
#pragma once

#include <string>

#include "base/error.h"

namespace berth::runtime_cli {

struct LogTarget {
  std::string path;             // empty: none
  std::string format = "text";  // or "json", one object a line
};

// From here on warnings and others go to the file, and not to stderr: containerd's shim and conmon give their
// runtime the container's own streams. It is opened now, for later this process may stand in a container's
// root, where the path could lead anywhere. With one that can't be opened or written to it is stderr again.
void open_log(const LogTarget& target);

// Appends the error with which the program ends.
void log_error(const Error& error);

}  // namespace berth::runtime_cli
