#include "cli/inspect_resources.h"

#include <vector>

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

Json amount(uint64_t value) {
  return value == engine::kNoLimit ? Json(-1) : Json(value);
}

Json devices(const std::vector<engine::DeviceLimitSpec>& limits, const char* what) {
  Json list = Json::array();
  for (const engine::DeviceLimitSpec& one : limits) list.push_back({{"Path", one.device}, {what, one.value}});
  return list;
}

}  // namespace

void describe_resources(const engine::ResourceSpec& spec, Json& host_config) {
  host_config["Cgroups"] = spec.own_cgroup ? "default" : "disabled";
  host_config["CgroupParent"] = spec.cgroup_parent;
  host_config["CgroupConf"] = Json::object();
  for (const engine::CgroupFileSpec& one : spec.cgroup_files) host_config["CgroupConf"][one.file] = one.value;
  host_config["Memory"] = spec.memory;
  host_config["MemorySwap"] = amount(spec.memory_swap);
  host_config["MemoryReservation"] = spec.memory_reservation;
  host_config["MemorySwappiness"] = spec.memory_swappiness ? Json(*spec.memory_swappiness) : Json(-1);
  host_config["OomKillDisable"] = spec.oom_kill_disabled;
  host_config["OomScoreAdj"] = spec.oom_score_adj.value_or(0);
  host_config["NanoCpus"] = spec.nano_cpus;
  host_config["CpuPeriod"] = spec.cpu_period;
  host_config["CpuQuota"] = amount(spec.cpu_quota);
  host_config["CpuShares"] = spec.cpu_shares;
  host_config["CpuRealtimePeriod"] = spec.cpu_rt_period;
  host_config["CpuRealtimeRuntime"] = spec.cpu_rt_runtime;
  host_config["CpusetCpus"] = spec.cpuset_cpus;
  host_config["CpusetMems"] = spec.cpuset_mems;
  host_config["PidsLimit"] = spec.pids ? amount(*spec.pids) : Json(spec.own_cgroup ? engine::kUsualPids : 0);
  host_config["BlkioWeight"] = spec.blkio_weight;
  host_config["BlkioWeightDevice"] = devices(spec.blkio_weight_device, "Weight");
  host_config["BlkioDeviceReadBps"] = devices(spec.device_read_bps, "Rate");
  host_config["BlkioDeviceReadIOps"] = devices(spec.device_read_iops, "Rate");
  host_config["BlkioDeviceWriteBps"] = devices(spec.device_write_bps, "Rate");
  host_config["BlkioDeviceWriteIOps"] = devices(spec.device_write_iops, "Rate");
}

}  // namespace berth::cli
