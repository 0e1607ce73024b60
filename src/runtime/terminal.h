// The terminal of a process that is being set up.
#pragma once

#include "runtime/plan.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

struct TerminalPair {
  sys::UniqueFd master;
  sys::UniqueFd peer;
};

// A new one of that devpts. Every name in a devpts is the kernel's, so what a container has put in the place
// of /dev/ptmx, or mounted over it, is never opened.
Result<sys::UniqueFd> open_master(int devpts);

// Gives it the size that the plan has, and opens the other end: by descriptor, not by its name under /dev/pts
// (ioctl_tty(2), TIOCGPTPEER).
Result<sys::UniqueFd> open_peer(int master, const ProcessPlan& process);

// Inside, in the container's namespaces: a new one of the devpts at /dev/pts. Code::refused where that is
// none.
Result<TerminalPair> open_terminal(const ProcessPlan& process);

// Out of the way of 0, 1 and 2, which are free until a terminal is put there.
Result<sys::UniqueFd> move_behind_streams(sys::UniqueFd fd);

// Gives it to the user, and makes it the standard streams of the calling process.
Result<> give_terminal(int terminal, uint32_t uid);
// Makes the standard input the controlling terminal of the calling process, which leads its session.
Result<> control_terminal();
// Both.
Result<> use_terminal(int terminal, uint32_t uid);

}  // namespace berth::runtime
