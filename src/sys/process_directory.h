// Processes by their directories in /proc, which stand for one process for ever, as pidfds do: what there is
// before Linux 5.3 (sys/process.h chooses).
#pragma once

#include <span>

#include <poll.h>
#include <sys/types.h>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::sys {

// ESRCH if there is no such process. /proc has to be that of the caller's PID namespace.
Result<UniqueFd> open_process_directory(pid_t pid);

// Its PID, as long as nobody has waited for it; ESRCH afterwards.
Result<pid_t> pid_of_directory(int directory);

// Also where it has ended and nobody has waited for it yet.
bool has_ended_by_directory(int directory);

// The PID could go to another process between the look at the directory and the signal: not that of a child
// of the caller's, and another's only within microseconds. What has ended is success.
Result<> signal_by_directory(int directory, int signal);

// As poll_process(). The end of a process can't be waited for: it is looked for again and again.
int poll_by_directory(std::span<pollfd> watched, int timeout_ms);

}  // namespace berth::sys
