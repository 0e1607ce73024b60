// A descriptor for another program, over a unix socket at which that listens.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::lifecycle {

// Connects to the stream socket at `path`, sends the data with the descriptor (SCM_RIGHTS, with its first
// byte), and closes. A reader who does not read holds it up for ten seconds at most. There must be data.
Result<> send_descriptor(const std::string& path, const sys::UniqueFd& fd, std::string_view data);

}  // namespace berth::lifecycle
