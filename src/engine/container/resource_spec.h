// What a container may use, as a person asked for it: the part of ContainerSpec for its cgroup.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace berth::engine {

// "-1" of the flags: no limit, although there would be one otherwise.
inline constexpr uint64_t kNoLimit = UINT64_MAX;

// Of a device, by its path: a weight, or bytes or operations a second.
struct DeviceLimitSpec {
  std::string device;
  uint64_t value = 0;
  bool operator==(const DeviceLimitSpec&) const = default;
};

// A file of cgroup v2 and its content (--cgroup-conf).
struct CgroupFileSpec {
  std::string file;
  std::string value;
  bool operator==(const CgroupFileSpec&) const = default;
};

// 0 and "" are "not given" where nothing else is said.
struct ResourceSpec {
  bool own_cgroup = true;     // --cgroups=disabled: it stays in its caller's
  std::string cgroup_parent;  // empty: berth's own (container_cgroup.h)
  uint64_t memory = 0;        // bytes
  uint64_t memory_swap = 0;   // bytes, memory and swap together; kNoLimit
  uint64_t memory_reservation = 0;
  std::optional<uint64_t> memory_swappiness;  // 0 to 100
  bool oom_kill_disabled = false;
  std::optional<int64_t> oom_score_adj;  // -1000 to 1000
  uint64_t nano_cpus = 0;                // --cpus, in billionths
  uint64_t cpu_period = 0;               // microseconds
  uint64_t cpu_quota = 0;                // microseconds of each period; kNoLimit
  uint64_t cpu_shares = 0;
  uint64_t cpu_rt_period = 0;
  uint64_t cpu_rt_runtime = 0;
  std::string cpuset_cpus;
  std::string cpuset_mems;
  std::optional<uint64_t> pids;  // kNoLimit; none: kUsualPids
  uint64_t blkio_weight = 0;
  std::vector<DeviceLimitSpec> blkio_weight_device;
  std::vector<DeviceLimitSpec> device_read_bps, device_read_iops, device_write_bps, device_write_iops;
  std::vector<CgroupFileSpec> cgroup_files;
  bool operator==(const ResourceSpec&) const = default;
};

// The limit for processes of a container whose owner has not said one, as podman has it: a fork bomb ends
// there.
inline constexpr int64_t kUsualPids = 2048;

// For nlohmann::json. Only what was given is written.
void to_json(nlohmann::json& document, const ResourceSpec& spec);
void from_json(const nlohmann::json& document, ResourceSpec& spec);

}  // namespace berth::engine
