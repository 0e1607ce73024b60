// What a container may use: the runtime-spec's linux.resources as values, a plan of what to write where, and
// its application. Device rules are in cgroup/devices.h.
//
// Where the spec's fields are those of v1, on v2 they become (config-linux.md; cgroup-v2.rst):
//   memory.swap        memory.swap.max = swap - limit, for the spec's is memory and swap together
//   memory.reservation memory.low
//   cpu.shares         cpu.weight by the curve of runc 1.3.2 and crun 1.23: 2 -> 1, 1024 -> 100, 262144 ->
//   10000 cpu.quota, period  cpu.max blockIO.weight     io.bfq.weight as it is, or io.weight = 1 + (weight -
//   10) * 9999 / 990 blockIO.throttle*  io.max
// What v2 has not (kernel memory, swappiness, disableOOMKiller, real-time, leaf weights, network) is refused,
// since the spec wants an error for what can't be applied; so is what the host lacks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cgroup/cgroup.h"

namespace berth::cgroup {

inline constexpr int64_t kUnlimited = -1;

// Each has fields(), by which berth's programs send it to each other (wire/archive.h).
//
// As the spec names them. As in runc and crun, and as Docker relies on, 0 is "not given" for memory.limit,
// memory.reservation, memory.swap, cpu.shares, cpu.quota, cpu.period, pids.limit and the weights.
struct MemoryLimits {
  std::optional<int64_t> limit, reservation, swap, kernel, kernel_tcp;  // bytes; kUnlimited
  std::optional<uint64_t> swappiness;                                   // 0 to 100
  std::optional<bool> disable_oom_killer, use_hierarchy;
  bool check_before_update = false;
  template <typename A>
  void fields(A& a) {
    a(limit, reservation, swap, kernel, kernel_tcp, swappiness, disable_oom_killer, use_hierarchy,
      check_before_update);
  }
};

struct CpuLimits {
  std::optional<uint64_t> shares;
  std::optional<int64_t> quota;  // microseconds of each period; kUnlimited
  std::optional<uint64_t> burst, period;
  std::optional<int64_t> realtime_runtime;
  std::optional<uint64_t> realtime_period;
  std::string cpus, mems;  // "0-3,7"; empty: not given
  std::optional<int64_t> idle;
  template <typename A>
  void fields(A& a) {
    a(shares, quota, burst, period, realtime_runtime, realtime_period, cpus, mems, idle);
  }
};

struct DeviceNumber {
  uint32_t major = 0;
  uint32_t minor = 0;
  template <typename A>
  void fields(A& a) {
    a(major, minor);
  }
};

struct DeviceWeight {
  DeviceNumber device;
  std::optional<uint16_t> weight, leaf_weight;
  template <typename A>
  void fields(A& a) {
    a(device, weight, leaf_weight);
  }
};

struct DeviceRate {
  DeviceNumber device;
  uint64_t rate = 0;  // bytes or operations a second; 0 takes the limit away
  template <typename A>
  void fields(A& a) {
    a(device, rate);
  }
};

struct BlockIoLimits {
  std::optional<uint16_t> weight, leaf_weight;  // 10 to 1000
  std::vector<DeviceWeight> weight_device;
  std::vector<DeviceRate> throttle_read_bps, throttle_write_bps, throttle_read_iops, throttle_write_iops;
  template <typename A>
  void fields(A& a) {
    a(weight, leaf_weight, weight_device, throttle_read_bps, throttle_write_bps, throttle_read_iops,
      throttle_write_iops);
  }
};

struct HugepageLimit {
  std::string page_size;  // "2MB"
  uint64_t limit = 0;     // bytes
  template <typename A>
  void fields(A& a) {
    a(page_size, limit);
  }
};

struct NetworkPriority {
  std::string name;  // of an interface
  uint32_t priority = 0;
  template <typename A>
  void fields(A& a) {
    a(name, priority);
  }
};

struct RdmaLimit {
  std::string device;
  std::optional<uint32_t> hca_handles, hca_objects;
  template <typename A>
  void fields(A& a) {
    a(device, hca_handles, hca_objects);
  }
};

struct Limits {
  MemoryLimits memory;
  CpuLimits cpu;
  std::optional<int64_t> pids;  // kUnlimited
  BlockIoLimits block_io;
  std::vector<HugepageLimit> hugepages;
  std::optional<uint32_t> network_class;
  std::vector<NetworkPriority> network_priorities;
  std::vector<RdmaLimit> rdma;
  std::map<std::string, std::string> unified;  // file of v2 to its content
  template <typename A>
  void fields(A& a) {
    a(memory, cpu, pids, block_io, hugepages, network_class, network_priorities, rdma, unified);
  }
};

// The v2 controllers that the limits need, for CreateOptions::required. Where v1 has one, create() knows.
std::vector<std::string> controllers_for(const Limits& limits);

enum class Version { v1, v2 };

// What the plan has to know of the host and of the cgroup as it is.
struct Facts {
  std::map<std::string, Version> controllers;  // by name: "blkio" is v1's, "io" v2's
  std::string v2_shown;                        // the cgroup's directory in v2, for messages; empty: none
  bool swap = true;                            // memory.memsw.* or memory.swap.max is there
  bool weight = true;                          // blkio.weight or io.weight is there
  bool bfq_weight = false;                     // blkio.bfq.weight or io.bfq.weight is there
  // As it is now; nullopt: unlimited, or not known because not needed.
  std::optional<int64_t> memory_limit, memory_and_swap_limit, memory_usage;
  std::string cpu_quota = "max";  // v2's, kept when only the period changes
};

// One write(2) to a control file of the directory that has the controller.
struct Write {
  enum class When {
    now,
    now_or_last,  // refused with EINVAL, it is tried again after all others: another value may be in its way
    if_there,     // passed over where the kernel has no such file
  };
  std::string controller;
  std::string file;
  std::string value;
  std::string limit;  // where it is from: "memory.limit" below linux.resources
  When when = When::now;
  bool operator==(const Write&) const = default;
};

// Pure. Code::refused with the limit's place for a value that can't be, Code::failed with the controller and
// where it would have to be enabled for one that can't be applied here.
Result<std::vector<Write>> plan_limits(const Limits& limits, const Facts& facts);

// Reads what plan_limits() has to know for these limits.
Result<Facts> look_at(const Cgroup& cgroup, const Limits& limits);

// Writes. The error says which limit, which file, why, and often what to do. What was written before stays.
Result<> write_plan(const Cgroup& cgroup, const std::vector<Write>& plan);

// All three. For a new cgroup and for an update.
Result<> apply_limits(const Cgroup& cgroup, const Limits& limits);

// cpu.shares (2 to 262144) to cpu.weight (1 to 10000); what is outside is taken for the nearest. 0 stays 0.
uint64_t weight_of_shares(uint64_t shares);
// blkio.weight (10 to 1000) to io.weight (1 to 10000).
uint64_t io_weight(uint64_t blkio_weight);

}  // namespace berth::cgroup
