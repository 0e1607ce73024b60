// The flags for what a container may use: of `berth run` and `berth create`, and those of them that `berth
// update` has too.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/flags.h"
#include "engine/container/resource_spec.h"

namespace berth::cli {

// As they were given; what was not is empty.
struct ResourceFlags {
  std::optional<std::string> memory, memory_swap, memory_reservation, memory_swappiness;
  std::optional<std::string> cpus, cpu_period, cpu_quota, cpu_shares, cpu_rt_period, cpu_rt_runtime;
  std::optional<std::string> cpuset_cpus, cpuset_mems;
  std::optional<std::string> pids, blkio_weight;
  std::vector<std::string> blkio_weight_device;
  std::vector<std::string> device_read_bps, device_read_iops, device_write_bps, device_write_iops;
  bool oom_kill_disabled = false;
  // Not of update.
  std::optional<std::string> oom_score_adj;
  std::string cgroups = "enabled";
  std::string cgroup_parent;
  std::vector<std::string> cgroup_files;
  friend bool operator==(const ResourceFlags&, const ResourceFlags&) = default;
};

// Declares those that can be changed while a container runs, and for a new one the others as well.
void add_limit_flags(Flags& line, ResourceFlags& flags);
void add_resource_flags(Flags& line, ResourceFlags& flags);

// Checks what was given and puts it over what `spec` has. Code::usage.
Result<> apply_resource_flags(const ResourceFlags& flags, engine::ResourceSpec& spec);

}  // namespace berth::cli
