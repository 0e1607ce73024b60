// --log: where conmon, containerd's shim and others look for the reason of a failure.
#pragma once

#include <string>

#include "base/error.h"

namespace berth::runtime_cli {

struct LogTarget {
  std::string path;             // empty: none
  std::string format = "text";  // or "json", one object a line
};

// Appends the error. A log that can't be written is passed over: stderr has it.
void write_log(const LogTarget& target, const Error& error);

}  // namespace berth::runtime_cli
