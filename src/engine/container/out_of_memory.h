// Telling that a container had too little memory.
#pragma once

#include <string>

#include "store/containers.h"

namespace berth::engine {

// "job was killed for want of memory: its limit is 64 MiB", or, where its own process has ended otherwise
// (`status` is not that of SIGKILL), that one of its processes was.
std::string out_of_memory_text(const store::ContainerRecord& record, int status);

}  // namespace berth::engine
