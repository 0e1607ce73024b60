#include "scope/unit_properties.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/cpu_list.h"
#include "base/fields.h"

namespace berth::scope {

namespace {

using systemd::kInfinity;
using systemd::Property;

struct Known {
  std::string_view file;
  const char* property;
};

// Files with one number, or "max" (v1: -1).
constexpr std::array<Known, 10> kNumbers{{{"memory.max", "MemoryMax"},
                                          {"memory.high", "MemoryHigh"},
                                          {"memory.low", "MemoryLow"},
                                          {"memory.min", "MemoryMin"},
                                          {"memory.swap.max", "MemorySwapMax"},
                                          {"memory.limit_in_bytes", "MemoryLimit"},
                                          {"pids.max", "TasksMax"},
                                          {"cpu.weight", "CPUWeight"},
                                          {"cpu.shares", "CPUShares"},
                                          {"blkio.weight", "BlockIOWeight"}}};
// And with lists of processors or memory nodes; v1's systemd leaves alone.
constexpr std::array<Known, 2> kLists{
    {{"cpuset.cpus", "AllowedCPUs"}, {"cpuset.mems", "AllowedMemoryNodes"}}};

std::optional<uint64_t> number_in(std::string_view text) {
  return text == "max" || text == "-1" ? kInfinity : whole_number<uint64_t>(text);
}

std::optional<std::vector<uint8_t>> bits_of(std::string_view text) {
  constexpr uint32_t kBits = 8;
  const std::optional<CpuList> list = parse_cpu_list(text);
  if (!list) return std::nullopt;
  std::vector<uint8_t> bits;
  for (const CpuRange& range : *list) {
    bits.resize(std::max<size_t>(bits.size(), range.last / kBits + 1));
    for (uint32_t one = range.first; one <= range.last; ++one)
      bits[one / kBits] = static_cast<uint8_t>(bits[one / kBits] | 1U << one % kBits);
  }
  return bits;
}

// The quota of the plan, which stands in one file with the period or in another one.
struct Bandwidth {
  std::optional<uint64_t> quota, period;  // microseconds
};

bool take(Bandwidth& bandwidth, const cgroup::Write& write) {
  std::string_view rest = write.value;
  if (write.file == "cpu.max") {
    bandwidth.quota = number_in(take_until(rest, ' '));
    if (!rest.empty()) bandwidth.period = number_in(rest);
  } else if (write.file == "cpu.cfs_quota_us") {
    bandwidth.quota = number_in(rest);
  } else if (write.file == "cpu.cfs_period_us") {
    bandwidth.period = number_in(rest);
  } else {
    return false;
  }
  return true;
}

// systemd keeps whole hundredths of a processor, so that less would be granted after it was reloaded.
void put_bandwidth(std::vector<Property>& out, const Bandwidth& bandwidth, uint64_t period_now) {
  constexpr uint64_t kSecond = 1'000'000;
  constexpr uint64_t kHundredth = 10'000;
  constexpr uint64_t kLargest = uint64_t{1} << 40;  // so that nothing below overflows
  const uint64_t period = bandwidth.period.value_or(period_now);
  if (bandwidth.period) out.push_back({"CPUQuotaPeriodUSec", period});
  if (!bandwidth.quota || period == 0) return;
  if (*bandwidth.quota > kLargest) {  // kInfinity too
    out.push_back({"CPUQuotaPerSecUSec", kInfinity});
    return;
  }
  const uint64_t each_second = *bandwidth.quota * kSecond / period;
  out.push_back({"CPUQuotaPerSecUSec", (each_second + kHundredth - 1) / kHundredth * kHundredth});
}

void put_number(std::vector<Property>& out, const cgroup::Write& write) {
  const auto known = std::find_if(kNumbers.begin(), kNumbers.end(),
                                  [&](const Known& one) { return one.file == write.file; });
  if (known == kNumbers.end()) return;
  if (const std::optional<uint64_t> value = number_in(write.value)) out.push_back({known->property, *value});
}

void put_other(std::vector<Property>& out, const cgroup::Write& write) {
  constexpr std::string_view kDefault = "default ";
  for (const Known& known : kLists) {
    const auto bits = known.file == write.file ? bits_of(write.value) : std::nullopt;
    if (bits) out.push_back({known.property, *bits});
  }
  if (write.file == "cpu.idle" && write.value == "1") out.push_back({"CPUWeight", uint64_t{0}});
  if (write.file != "io.weight") return;
  std::string_view value = write.value;
  if (value.starts_with(kDefault)) value.remove_prefix(kDefault.size());
  if (const auto weight = whole_number<uint64_t>(value)) out.push_back({"IOWeight", *weight});
}

// "136 pts" among the lines of "Character devices:" or "Block devices:".
std::string_view group_name(std::string_view devices, bool block, uint32_t major) {
  bool in_blocks = false;
  while (!devices.empty()) {
    std::string_view line = take_until(devices, '\n');
    if (line.starts_with("Block")) in_blocks = true;
    while (line.starts_with(' ')) line.remove_prefix(1);
    if (in_blocks == block && whole_number<uint32_t>(take_until(line, ' ')) == major) return line;
  }
  return {};
}

void put_device(Property::Pairs& out, const cgroup::DeviceRule& rule, bool block, std::string_view devices) {
  const char* kind = block ? "block" : "char";
  std::string name;
  if (!rule.major && !rule.minor) {
    name = fmt::format("{}-*", kind);
  } else if (rule.major && rule.minor) {
    name = fmt::format("/dev/{}/{}:{}", kind, *rule.major, *rule.minor);
  } else if (rule.major) {
    const std::string_view group = group_name(devices, block, *rule.major);
    if (!group.empty()) name = fmt::format("{}-{}", kind, group);
  }
  std::pair<std::string, std::string> entry{std::move(name), cgroup::access_letters(rule.access)};
  if (!entry.first.empty() && std::find(out.begin(), out.end(), entry) == out.end())
    out.push_back(std::move(entry));
}

}  // namespace

std::vector<Property> limit_properties(const std::vector<cgroup::Write>& plan, uint64_t cpu_period) {
  std::vector<Property> out;
  Bandwidth bandwidth;
  for (const cgroup::Write& write : plan) {
    if (take(bandwidth, write)) continue;
    put_number(out, write);
    put_other(out, write);
  }
  put_bandwidth(out, bandwidth, cpu_period);
  return out;
}

std::vector<Property> device_properties(const std::vector<cgroup::DeviceRule>& rules,
                                        std::string_view devices) {
  using enum cgroup::DeviceType;
  bool everything = true;
  Property::Pairs allowed;
  for (const cgroup::DeviceRule& rule : rules) {
    const bool all = rule.type == cgroup::DeviceType::all && !rule.major && !rule.minor &&
                     rule.access == cgroup::kAnyAccess;
    if (all) {
      everything = rule.allow;
      allowed.clear();
    } else if (rule.allow) {
      if (rule.type != block) put_device(allowed, rule, false, devices);
      if (rule.type != character) put_device(allowed, rule, true, devices);
    }
  }
  if (everything) return {{"DevicePolicy", std::string("auto")}};
  return {{"DevicePolicy", std::string("strict")}, {"DeviceAllow", std::move(allowed)}};
}

}  // namespace berth::scope
