// --console-socket: who made it gets the terminal's master.
#pragma once

#include <string>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::lifecycle {

// Connects to the unix stream socket at `path` and sends the descriptor, as runc and crun do and conmon and
// containerd's shim expect.
Result<> send_terminal(const std::string& path, const sys::UniqueFd& terminal);

}  // namespace berth::lifecycle
