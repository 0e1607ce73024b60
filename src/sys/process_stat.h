// What of /proc/PID/stat is looked at (proc_pid_stat(5)).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

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

// Its text taken apart.
struct StatFields {
  pid_t pid = 0;
  std::string_view name;  // any bytes
  // A field by its number in proc_pid_stat(5), from 3, the state, on; empty beyond the last.
  [[nodiscard]] std::string_view field(size_t number) const;
  std::vector<std::string_view> from_state;
};
// nullopt if it is not as expected.
std::optional<StatFields> split_process_stat(std::string_view text);

// ESRCH if there is no such process (any more).
Result<ProcessStat> read_process_stat(pid_t pid);
// By its directory in /proc, which stands for one process for ever.
Result<ProcessStat> read_process_stat_at(int directory);

}  // namespace berth::sys
