// clone3(2), Linux 5.3, and clone(2) where that is not there.
#pragma once

#include <cstdint>

#include <sys/types.h>

#include "base/error.h"

namespace berth::sys {

struct CloneRequest {
  uint64_t flags = 0;  // CLONE_NEW* and CLONE_PARENT
  int exit_signal = 0;
  int cgroup = -1;  // an open directory of v2, for the new process to be in from its first moment on
};

struct Cloned {
  long pid = 0;  // 0 in the new process itself; negative: errno has why there is none
  int pidfd = -1;
  // The kernel has put it there. Otherwise whoever may do that has to call enter_cgroup() before the process
  // goes on.
  bool in_cgroup = true;
};

// Does nothing but system calls. With CLONE_PARENT, which is for another's child, there is no pidfd.
Cloned clone_process(const CloneRequest& request);

// Moves a process into a cgroup of v2.
Result<> enter_cgroup(int cgroup, pid_t pid);

}  // namespace berth::sys
