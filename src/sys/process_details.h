// What /proc says of a process to somebody who wants to show it (proc_pid_status(5), proc_pid_stat(5)). The
// texts are the process's own, and so any bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/error.h"

namespace berth::sys {

struct ProcessDetails {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  std::vector<pid_t> pids;  // its own in each PID namespace, from that of /proc inwards
  std::string name;         // comm, 15 bytes at most
  std::string arguments;    // with spaces between; empty for one that has ended, or a thread of the kernel's
  char state = '?';
  unsigned tty = 0;  // a device number; 0: none
  int64_t nice = 0;
  int64_t start = 0;  // clock ticks since the boot, as the next two
  int64_t user_time = 0;
  int64_t system_time = 0;
  int64_t virtual_memory = 0;      // bytes
  int64_t resident_memory = 0;     // bytes
  std::array<uint32_t, 4> uids{};  // real, effective, saved, for file systems
  std::array<uint32_t, 4> gids{};
  std::vector<uint32_t> groups;
  std::array<uint64_t, 5> capabilities{};  // inheritable, permitted, effective, bounding, ambient
  int seccomp = 0;                         // 0: disabled, 1: strict, 2: filter
};

// ESRCH if there is no such process (any more).
Result<ProcessDetails> read_process_details(pid_t pid);

// Of the texts of /proc/PID/status and /proc/PID/stat. nullopt if they are not as expected.
std::optional<ProcessDetails> parse_process_details(std::string_view status, std::string_view stat);

}  // namespace berth::sys
