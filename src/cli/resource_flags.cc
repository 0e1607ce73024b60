#include "cli/resource_flags.h"

#include <limits>

#include "base/amounts.h"
#include "base/fields.h"
#include "cli/flag_values.h"

namespace berth::cli {

namespace {

using Text = std::optional<std::string>;

std::unexpected<Error> bad(std::string_view flag, std::string_view text, std::string_view why) {
  return fail(Code::usage, "{} {}: {}", flag, text, why);
}

// Bytes; the kernel counts them in 64 bits with a sign. "-1" is no limit where the flag has that word.
Result<> read_bytes(std::string_view flag, const Text& text, bool can_be_unlimited, uint64_t& into) {
  if (!text) return {};
  if (can_be_unlimited && *text == "-1") {
    into = engine::kNoLimit;
    return {};
  }
  const uint64_t bytes = TRY(parse_size(flag, *text));
  if (bytes > std::numeric_limits<int64_t>::max()) return bad(flag, *text, "no machine has so much");
  into = bytes;
  return {};
}

Result<uint64_t> read_whole(std::string_view flag, const std::string& text, uint64_t least, uint64_t most) {
  const auto number = whole_number<uint64_t>(text);
  if (number && *number >= least && *number <= most) return *number;
  return bad(flag, text, fmt::format("it is a whole number from {} to {}", least, most));
}

// One of the flags that only have to be a number, 0 for none.
Result<> read_number(std::string_view flag, const Text& text, uint64_t most, uint64_t& into) {
  if (text) into = TRY(read_whole(flag, *text, 0, most));
  return {};
}

// "1.5", to billionths.
Result<> read_cpus(const Text& text, uint64_t& nano_cpus) {
  if (!text) return {};
  const std::optional<uint64_t> cpus = parse_cpus(*text);
  if (!cpus) return bad("--cpus", *text, "it is a number of processors, for example 1.5");
  nano_cpus = *cpus;
  constexpr uint64_t kLeast = 10'000'000;
  if (nano_cpus != 0 && nano_cpus < kLeast)
    return bad("--cpus", *text, "the kernel divides no processor below 0.01");
  return {};
}

// A list like "0-3,7". The kernel says which there are.
Result<> read_set(std::string_view flag, const Text& text, std::string& into) {
  if (!text) return {};
  if (text->empty() || text->find_first_not_of("0123456789,-") != std::string::npos)
    return bad(flag, *text, "it is a list like 0-3,7");
  into = *text;
  return {};
}

Result<> read_pids(const Text& text, std::optional<uint64_t>& into) {
  if (!text) return {};
  constexpr uint64_t kMost = 4'194'304;  // PID_MAX_LIMIT
  const bool unlimited = *text == "-1" || *text == "0";
  into = unlimited ? engine::kNoLimit : TRY(read_whole("--pids-limit", *text, 1, kMost));
  return {};
}

Result<> read_score(const Text& text, std::optional<int64_t>& into) {
  if (!text) return {};
  constexpr int64_t kMost = 1000;
  into = whole_number<int64_t>(*text);
  if (into && *into >= -kMost && *into <= kMost) return {};
  return bad("--oom-score-adj", *text, "it is a whole number from -1000 to 1000");
}

// "-1" is podman's and Docker's word for the kernel's own.
Result<> read_swappiness(const Text& text, std::optional<uint64_t>& into) {
  if (!text) return {};
  into.reset();
  if (*text != "-1") into = TRY(read_whole("--memory-swappiness", *text, 0, 100));
  return {};
}

Result<uint64_t> read_weight(std::string_view flag, const std::string& text) {
  constexpr uint64_t kLeast = 10;
  constexpr uint64_t kMost = 1000;
  return text == "0" ? Result<uint64_t>(0) : read_whole(flag, text, kLeast, kMost);
}

enum class Unit { weight, bytes, operations };

Result<> read_devices(std::string_view flag, const std::vector<std::string>& texts, Unit unit,
                      std::vector<engine::DeviceLimitSpec>& into) {
  for (const std::string& text : texts) {
    const size_t colon = text.rfind(':');
    if (!text.starts_with('/') || colon == std::string::npos)
      return bad(flag, text, "it is DEVICE:VALUE, for example /dev/sda:10");
    const std::string value = text.substr(colon + 1);
    constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
    engine::DeviceLimitSpec limit{.device = text.substr(0, colon)};
    if (unit == Unit::weight) limit.value = TRY(read_weight(flag, value));
    if (unit == Unit::bytes) limit.value = TRY(parse_size(flag, value));
    if (unit == Unit::operations) limit.value = TRY(read_whole(flag, value, 0, kMost));
    std::erase_if(into, [&](const auto& other) { return other.device == limit.device; });
    into.push_back(std::move(limit));
  }
  return {};
}

Result<> read_files(const std::vector<std::string>& texts, std::vector<engine::CgroupFileSpec>& into) {
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return bad("--cgroup-conf", text, "it is FILE=VALUE, for example memory.high=1073741824");
    into.push_back({text.substr(0, equals), text.substr(equals + 1)});
  }
  return {};
}

Result<> check_together(const engine::ResourceSpec& spec) {
  constexpr uint64_t kLeastMemory = uint64_t{4} << 20;
  if (spec.memory != 0 && spec.memory < kLeastMemory)
    return fail(Code::usage, "--memory {}: a container needs 4 MiB at least", spec.memory);
  if (spec.memory_swap != 0 && spec.memory_swap != engine::kNoLimit) {
    if (spec.memory == 0)
      return fail(Code::usage, "--memory-swap limits memory and swap together, and needs --memory");
    if (spec.memory_swap < spec.memory)
      return fail(Code::usage, "--memory-swap limits memory and swap together: {} is less than --memory ({})",
                  spec.memory_swap, spec.memory);
  }
  if (spec.memory != 0 && spec.memory_reservation > spec.memory)
    return fail(Code::usage, "--memory-reservation {} is more than --memory ({})", spec.memory_reservation,
                spec.memory);
  if (spec.nano_cpus != 0 && (spec.cpu_quota != 0 || spec.cpu_period != 0)) {
    return fail(Code::usage, "--cpus is short for {}: give one of the two",
                spec.cpu_quota != 0 ? "--cpu-quota" : "a quota of each --cpu-period");
  }
  return {};
}

}  // namespace

void add_limit_flags(Flags& line, ResourceFlags& flags) {
  line.heading("Limits");
  line.value("-m,--memory", flags.memory, "So much memory at most, for example 512m", {.shown = "SIZE"});
  line.value("--memory-swap", flags.memory_swap,
             "Memory and swap together; -1: unlimited (default: twice --memory)", {.shown = "SIZE"});
  line.value("--memory-reservation", flags.memory_reservation,
             "What it is left with when the host is short of memory", {.shown = "SIZE"});
  line.value("--memory-swappiness", flags.memory_swappiness, "0 to 100; of cgroup v1", {.shown = "INT"});
  line.value("--cpus", flags.cpus, "The time of so many processors at most, for example 1.5",
             {.shown = "NUMBER"});
  line.value("--cpu-period", flags.cpu_period, "Microseconds, of which it gets --cpu-quota",
             {.shown = "INT"});
  line.value("--cpu-quota", flags.cpu_quota, "Microseconds of each period; -1: unlimited", {.shown = "INT"});
  line.value("-c,--cpu-shares", flags.cpu_shares,
             "Its part where processors are short (1024 is the usual one)", {.shown = "INT"});
  line.value("--cpu-rt-period", flags.cpu_rt_period, "Microseconds; real-time, of cgroup v1",
             {.shown = "INT"});
  line.value("--cpu-rt-runtime", flags.cpu_rt_runtime, "Microseconds of each; real-time, of cgroup v1",
             {.shown = "INT"});
  line.value("--cpuset-cpus", flags.cpuset_cpus, "The processors that it may run on: 0-3,7",
             {.shown = "LIST"});
  line.value("--cpuset-mems", flags.cpuset_mems, "The memory nodes that it may use", {.shown = "LIST"});
  line.value("--pids-limit", flags.pids, "Processes and threads at most (default 2048); -1: unlimited",
             {.shown = "INT"});
  line.value("--blkio-weight", flags.blkio_weight, "Its part of what disks can do, 10 to 1000",
             {.shown = "INT"});
  line.list("--blkio-weight-device", flags.blkio_weight_device, "DEVICE:WEIGHT, the same for one disk");
  line.list("--device-read-bps", flags.device_read_bps, "DEVICE:SIZE a second, for example /dev/sda:1mb");
  line.list("--device-read-iops", flags.device_read_iops, "DEVICE:NUMBER of reads a second");
  line.list("--device-write-bps", flags.device_write_bps, "DEVICE:SIZE a second");
  line.list("--device-write-iops", flags.device_write_iops, "DEVICE:NUMBER of writes a second");
}

void add_resource_flags(Flags& line, ResourceFlags& flags) {
  add_limit_flags(line, flags);
  line.flag("--oom-kill-disable", flags.oom_kill_disabled,
            "Out of memory, its processes wait and are not killed; of cgroup v1");
  line.value("--oom-score-adj", flags.oom_score_adj,
             "Whom the host kills first when it is short of memory, -1000 to 1000", {.shown = "INT"});
  line.value("--cgroups", flags.cgroups, "enabled (default), or disabled: no cgroup of its own, no limits",
             {.choices = {"enabled", "disabled", "no-conmon"}});
  line.value("--cgroup-parent", flags.cgroup_parent,
             "The cgroup below which it gets its own, or a slice of systemd's", {.shown = "PATH"});
  line.list("--cgroup-conf", flags.cgroup_files, "FILE=VALUE, a file of its cgroup; of cgroup v2");
}

Result<> apply_resource_flags(const ResourceFlags& flags, engine::ResourceSpec& spec) {
  constexpr uint64_t kMostMicroseconds = std::numeric_limits<int64_t>::max();
  TRY(read_bytes("--memory", flags.memory, false, spec.memory));
  TRY(read_bytes("--memory-swap", flags.memory_swap, true, spec.memory_swap));
  TRY(read_bytes("--memory-reservation", flags.memory_reservation, false, spec.memory_reservation));
  TRY(read_swappiness(flags.memory_swappiness, spec.memory_swappiness));
  // Two ways to say the same: the newer one takes the place of the other.
  const bool has_quota = flags.cpu_quota || flags.cpu_period;
  if (flags.cpus && !has_quota) spec.cpu_quota = spec.cpu_period = 0;
  if (has_quota && !flags.cpus) spec.nano_cpus = 0;
  TRY(read_cpus(flags.cpus, spec.nano_cpus));
  TRY(read_number("--cpu-period", flags.cpu_period, kMostMicroseconds, spec.cpu_period));
  if (flags.cpu_quota == "-1") {
    spec.cpu_quota = engine::kNoLimit;
  } else {
    TRY(read_number("--cpu-quota", flags.cpu_quota, kMostMicroseconds, spec.cpu_quota));
  }
  TRY(read_number("--cpu-shares", flags.cpu_shares, kMostMicroseconds, spec.cpu_shares));
  TRY(read_number("--cpu-rt-period", flags.cpu_rt_period, kMostMicroseconds, spec.cpu_rt_period));
  TRY(read_number("--cpu-rt-runtime", flags.cpu_rt_runtime, kMostMicroseconds, spec.cpu_rt_runtime));
  TRY(read_set("--cpuset-cpus", flags.cpuset_cpus, spec.cpuset_cpus));
  TRY(read_set("--cpuset-mems", flags.cpuset_mems, spec.cpuset_mems));
  TRY(read_pids(flags.pids, spec.pids));
  if (flags.blkio_weight) spec.blkio_weight = TRY(read_weight("--blkio-weight", *flags.blkio_weight));
  TRY(read_devices("--blkio-weight-device", flags.blkio_weight_device, Unit::weight,
                   spec.blkio_weight_device));
  TRY(read_devices("--device-read-bps", flags.device_read_bps, Unit::bytes, spec.device_read_bps));
  TRY(read_devices("--device-read-iops", flags.device_read_iops, Unit::operations, spec.device_read_iops));
  TRY(read_devices("--device-write-bps", flags.device_write_bps, Unit::bytes, spec.device_write_bps));
  TRY(read_devices("--device-write-iops", flags.device_write_iops, Unit::operations, spec.device_write_iops));
  spec.oom_kill_disabled |= flags.oom_kill_disabled;
  TRY(read_score(flags.oom_score_adj, spec.oom_score_adj));
  TRY(read_files(flags.cgroup_files, spec.cgroup_files));
  if (flags.cgroups == "disabled") spec.own_cgroup = false;
  if (!flags.cgroup_parent.empty()) spec.cgroup_parent = flags.cgroup_parent;
  return check_together(spec);
}

}  // namespace berth::cli
