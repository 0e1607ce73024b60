// What of /proc/PID/stat is looked at (proc_pid_stat(5)).
#pragma once

#include <cstdint>

#include <sys/types.h>

#include "base/error.h"

namespace berth::sys {

struct ProcessStat {
  pid_t pid = 0;      // in the PID namespace of the /proc that was read
  char state = 0;     // field 3
  pid_t parent = 0;   // field 4; 0 where it is none of that namespace's
  int64_t start = 0;  // field 22: clock ticks since the host was booted

  // Also where nobody has waited for it yet.
  [[nodiscard]] bool has_ended() const { return state == 'Z' || state == 'X'; }
};

// ESRCH if there is no such process (any more).
Result<ProcessStat> read_process_stat(pid_t pid);
// By its directory in /proc, which stands for one process for ever.
Result<ProcessStat> read_process_stat_at(int directory);

}  // namespace berth::sys
