// Pipes.
#pragma once

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::sys {

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

// pipe2(2). Both ends are close-on-exec.
Result<Pipe> make_pipe();

}  // namespace berth::sys
