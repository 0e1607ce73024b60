// The process that becomes a container's PID 1, from its creation to its exec.
#pragma once

#include "sys/unique_fd.h"

namespace berth::runtime {

// The descriptors of the new process. Everything else that it inherited is closed first of all.
struct InsideDescriptors {
  sys::UniqueFd channel;       // see protocol.h
  sys::UniqueFd status;        // the write end of the status pipe
  sys::UniqueFd init_program;  // berth-init
};

// Runs in the new process and does not return: it waits for the plan, and executes the container's process or
// writes a Failure and exits. `preserved` descriptors from 3 on stay for the container's process.
[[noreturn]] void run_inside(InsideDescriptors descriptors, unsigned preserved);

}  // namespace berth::runtime
