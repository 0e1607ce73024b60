#include "lifecycle/limits.h"

namespace berth::lifecycle {

namespace {

cgroup::MemoryLimits memory(const bundle::Memory& from) {
  return {.limit = from.limit,
          .reservation = from.reservation,
          .swap = from.swap,
          .kernel = from.kernel,
          .kernel_tcp = from.kernel_tcp,
          .swappiness = from.swappiness,
          .disable_oom_killer = from.disable_oom_killer,
          .use_hierarchy = from.use_hierarchy,
          .check_before_update = from.check_before_update.value_or(false)};
}

cgroup::CpuLimits cpu(const bundle::Cpu& from) {
  return {.shares = from.shares,
          .quota = from.quota,
          .burst = from.burst,
          .period = from.period,
          .realtime_runtime = from.realtime_runtime,
          .realtime_period = from.realtime_period,
          .cpus = from.cpus,
          .mems = from.mems,
          .idle = from.idle};
}

std::vector<cgroup::DeviceRate> rates(const std::vector<bundle::BlockRate>& from) {
  std::vector<cgroup::DeviceRate> result;
  for (const bundle::BlockRate& one : from) result.push_back({{one.major, one.minor}, one.rate});
  return result;
}

cgroup::BlockIoLimits block_io(const bundle::BlockIo& from) {
  cgroup::BlockIoLimits limits;
  limits.weight = from.weight;
  limits.leaf_weight = from.leaf_weight;
  for (const bundle::BlockWeight& one : from.device_weights)
    limits.weight_device.push_back({{one.major, one.minor}, one.weight, one.leaf_weight});
  limits.throttle_read_bps = rates(from.read_bytes);
  limits.throttle_write_bps = rates(from.write_bytes);
  limits.throttle_read_iops = rates(from.read_operations);
  limits.throttle_write_iops = rates(from.write_operations);
  return limits;
}

}  // namespace

cgroup::Limits limits_of(const bundle::Resources& resources) {
  cgroup::Limits limits{.memory = memory(resources.memory),
                        .cpu = cpu(resources.cpu),
                        .pids = resources.pids_limit,
                        .block_io = block_io(resources.block_io)};
  for (const bundle::HugepageLimit& one : resources.hugepages)
    limits.hugepages.push_back({one.page_size, one.limit});
  limits.network_class = resources.network.class_id;
  for (const bundle::InterfacePriority& one : resources.network.priorities)
    limits.network_priorities.push_back({one.name, one.priority});
  for (const bundle::RdmaLimit& one : resources.rdma)
    limits.rdma.push_back({one.device, one.handles, one.objects});
  limits.unified = resources.unified;
  return limits;
}

std::vector<cgroup::DeviceRule> device_rules_of(const bundle::Resources& resources) {
  std::vector<cgroup::DeviceRule> rules;
  for (const bundle::DeviceRule& one : resources.devices) {
    using enum cgroup::DeviceType;
    const cgroup::DeviceType type = one.type == 'b' ? block : one.type == 'c' ? character : all;
    const int access = (one.mknod ? cgroup::kMakeDevice : 0) | (one.read ? cgroup::kReadDevice : 0) |
                       (one.write ? cgroup::kWriteDevice : 0);
    rules.push_back({one.allow, type, one.major, one.minor, static_cast<uint8_t>(access)});
  }
  return rules;
}

}  // namespace berth::lifecycle
