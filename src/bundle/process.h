// What the runtime specification says of a process: `process` in config.json, and the file of `exec
// --process` (runtime-spec 1.2, config.md, "Process").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu_list.h"
#include "base/error.h"
#include "base/ids.h"
#include "sys/capabilities.h"

namespace berth::bundle {

struct ConsoleSize {
  uint16_t rows = 0;
  uint16_t columns = 0;
};

struct User {
  ContainerUid uid;
  ContainerGid gid;
  std::optional<uint32_t> umask;  // 0 to 0777; none: as the runtime's caller has it
  std::vector<ContainerGid> additional_gids;
};

struct ResourceLimit {
  unsigned resource = 0;  // RLIMIT_*
  uint64_t soft = 0;      // at most hard; 18446744073709551615 is RLIM_INFINITY
  uint64_t hard = 0;
};

// As sched_setattr(2) takes it.
struct Scheduler {
  uint32_t policy = 0;    // SCHED_*
  int32_t nice = 0;       // -20 to 19
  uint32_t priority = 0;  // 1 to 99 for SCHED_FIFO and SCHED_RR, 0 for all others
  uint64_t flags = 0;     // SCHED_FLAG_*
  uint64_t runtime = 0;   // nanoseconds, as the next two; for SCHED_DEADLINE
  uint64_t deadline = 0;
  uint64_t period = 0;
};

// As ioprio_set(2) takes it: class << 13 | priority.
struct IoPriority {
  unsigned io_class = 0;  // IOPRIO_CLASS_RT 1, _BE 2, _IDLE 3
  unsigned priority = 0;  // 0 to 7
};

// Where a process of `exec` runs before and after it enters the container's cgroup. Empty: not said.
struct CpuAffinity {
  CpuList initial;
  CpuList final;
};

struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size;  // only with a terminal
  User user;
  std::vector<std::string> args;  // at least one, and the first is not ""
  std::vector<std::string> env;   // "NAME=VALUE"
  std::string cwd;                // absolute
  // As capset(2) will take them: what can't be granted has been left out with a warning (config.md: a runtime
  // logs it and does not fail). Inheritable is within bounding, effective within permitted, ambient within
  // permitted and inheritable.
  std::optional<sys::CapabilitySets> capabilities;
  std::vector<ResourceLimit> rlimits;  // each resource once
  bool no_new_privileges = false;
  std::string apparmor_profile;
  std::string selinux_label;
  std::optional<int> oom_score_adj;  // -1000 to 1000; none: not to be changed
  std::optional<Scheduler> scheduler;
  std::optional<IoPriority> io_priority;
  std::optional<CpuAffinity> exec_cpu_affinity;
};

struct ParsedProcess {
  Process process;
  std::vector<std::string> warnings;  // for the log, each with the place in the document
};

// Reads the file of `exec --process`. Code::refused with the place and the value.
Result<ParsedProcess> parse_process(std::string_view text);

}  // namespace berth::bundle
