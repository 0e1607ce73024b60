// From what a person asked for to what is written to a cgroup.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "engine/container/container_cgroup.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

// nullopt for "not given".
std::optional<int64_t> amount(uint64_t value) {
  if (value == 0) return std::nullopt;
  return value == kNoLimit ? cgroup::kUnlimited : static_cast<int64_t>(value);
}

std::optional<uint64_t> number(uint64_t value) {
  return value == 0 ? std::nullopt : std::optional(value);
}

// By what it is now: a disk may have another number than when the container was made.
Result<cgroup::DeviceNumber> device_number(std::string_view flag, const std::string& path) {
  const sys::UniqueFd node = TRY_CONTEXT(sys::open_at(AT_FDCWD, path, O_PATH), "{}", flag);
  const struct stat st = TRY(sys::stat_at(node.get(), "", AT_EMPTY_PATH));
  if (!S_ISBLK(st.st_mode)) return fail(Code::usage, "{} {}: it is no block device", flag, path);
  return cgroup::DeviceNumber{major(st.st_rdev), minor(st.st_rdev)};
}

Result<std::vector<cgroup::DeviceRate>> rates(std::string_view flag,
                                              const std::vector<DeviceLimitSpec>& limits) {
  std::vector<cgroup::DeviceRate> result;
  for (const DeviceLimitSpec& one : limits)
    result.push_back({TRY(device_number(flag, one.device)), one.value});
  return result;
}

Result<cgroup::BlockIoLimits> block_io(const ResourceSpec& spec) {
  cgroup::BlockIoLimits limits;
  if (spec.blkio_weight != 0) limits.weight = static_cast<uint16_t>(spec.blkio_weight);
  for (const DeviceLimitSpec& one : spec.blkio_weight_device) {
    const cgroup::DeviceNumber device = TRY(device_number("--blkio-weight-device", one.device));
    limits.weight_device.push_back({device, static_cast<uint16_t>(one.value), std::nullopt});
  }
  limits.throttle_read_bps = TRY(rates("--device-read-bps", spec.device_read_bps));
  limits.throttle_read_iops = TRY(rates("--device-read-iops", spec.device_read_iops));
  limits.throttle_write_bps = TRY(rates("--device-write-bps", spec.device_write_bps));
  limits.throttle_write_iops = TRY(rates("--device-write-iops", spec.device_write_iops));
  return limits;
}

cgroup::CpuLimits cpu(const ResourceSpec& spec) {
  constexpr uint64_t kUsualPeriod = 100'000;        // microseconds
  constexpr uint64_t kNanosOfMicrosecond = 10'000;  // of a processor, in the usual period
  cgroup::CpuLimits limits{.shares = number(spec.cpu_shares),
                           .quota = amount(spec.cpu_quota),
                           .period = number(spec.cpu_period),
                           .realtime_runtime = amount(spec.cpu_rt_runtime),
                           .realtime_period = number(spec.cpu_rt_period),
                           .cpus = spec.cpuset_cpus,
                           .mems = spec.cpuset_mems};
  if (spec.nano_cpus != 0) {
    limits.period = kUsualPeriod;
    limits.quota = static_cast<int64_t>(spec.nano_cpus / kNanosOfMicrosecond);
  }
  return limits;
}

}  // namespace

Result<cgroup::Limits> cgroup_limits(const ResourceSpec& spec) {
  cgroup::Limits limits{.memory = {.limit = amount(spec.memory),
                                   .reservation = amount(spec.memory_reservation),
                                   .swap = amount(spec.memory_swap),
                                   .swappiness = spec.memory_swappiness},
                        .cpu = cpu(spec),
                        .block_io = TRY(block_io(spec))};
  if (spec.oom_kill_disabled) limits.memory.disable_oom_killer = true;
  if (spec.pids) limits.pids = amount(*spec.pids);
  for (const CgroupFileSpec& one : spec.cgroup_files) limits.unified[one.file] = one.value;
  return limits;
}

}  // namespace berth::engine
