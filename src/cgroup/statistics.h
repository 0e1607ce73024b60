// What a cgroup has used, from v1 and v2 in one form. What a host does not tell stays empty.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cgroup/cgroup.h"
#include "cgroup/limits.h"

namespace berth::cgroup {

// Pressure stall information (accounting/psi.rst): how much of the time some, or all, had to wait.
struct Stall {
  double percent_10s = 0, percent_60s = 0, percent_300s = 0;
  uint64_t total_us = 0;
};
struct Pressure {
  Stall some, full;
};

struct Usage {
  uint64_t now = 0;
  std::optional<uint64_t> limit;   // nullopt: unlimited
  std::optional<uint64_t> most;    // the highest ever
  std::optional<uint64_t> failed;  // how often the limit was hit
};

struct CpuStatistics {
  std::optional<uint64_t> usage_ns, user_ns, system_ns;
  std::vector<uint64_t> usage_of_each_ns;  // v1 only: of each processor
  std::optional<uint64_t> periods, throttled_periods, throttled_ns, bursts, burst_ns;
  std::optional<Pressure> pressure;
};

struct MemoryStatistics {
  std::optional<Usage> memory;           // bytes
  std::optional<Usage> memory_and_swap;  // together, also on v2
  std::optional<Usage> kernel, kernel_tcp;
  std::optional<uint64_t> cache;        // bytes of files that could be dropped
  std::optional<uint64_t> oom;          // v2 only: how often it was out of memory
  std::optional<uint64_t> oom_kills;    // how many processes the kernel has killed for that
  std::map<std::string, uint64_t> raw;  // memory.stat
  std::optional<Pressure> pressure;
};

struct IoCount {
  DeviceNumber device;
  std::string operation;  // "Read", "Write", "Discard", and on v1 "Sync", "Async"
  uint64_t value = 0;
};

struct IoStatistics {
  std::vector<IoCount> bytes, operations;
  std::optional<Pressure> pressure;
};

struct RdmaUsage {
  std::string device;
  std::optional<uint64_t> handles, objects;              // nullopt: "max"
  std::optional<uint64_t> handles_limit, objects_limit;  // nullopt: unlimited
};

struct Statistics {
  CpuStatistics cpu;
  MemoryStatistics memory;
  std::optional<Usage> pids;
  IoStatistics io;
  std::map<std::string, Usage> hugepages;  // by page size, "2MB"; bytes
  std::vector<RdmaUsage> rdma;
};

// Code::not_found if the cgroup is gone.
Result<Statistics> read_statistics(const Cgroup& cgroup);

// Only the counter of processes killed for lack of memory; nullopt if the host does not count them.
Result<std::optional<uint64_t>> read_oom_kills(const Cgroup& cgroup);

}  // namespace berth::cgroup
