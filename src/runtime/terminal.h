// The terminal of a process that is being set up. Inside: in the container's namespaces.
#pragma once

#include "runtime/plan.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

struct TerminalPair {
  sys::UniqueFd master;
  sys::UniqueFd peer;
};

// A new one of the devpts at /dev/pts, of the size that the plan has. Every name in a devpts is the kernel's,
// so what a container has put in the place of /dev/ptmx, or mounted over it, is never opened; the other end
// is opened by descriptor (ioctl_tty(2), TIOCGPTPEER). Code::refused where /dev/pts is no devpts.
Result<TerminalPair> open_terminal(const ProcessPlan& process);

// Out of the way of 0, 1 and 2, which are free until a terminal is put there.
Result<sys::UniqueFd> move_behind_streams(sys::UniqueFd fd);

// Gives it to the user, and makes it the controlling terminal and the standard streams of the calling
// process, which leads its session.
Result<> use_terminal(int terminal, uint32_t uid);

}  // namespace berth::runtime
