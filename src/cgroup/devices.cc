#include "cgroup/devices.h"

#include "cgroup/control_file.h"
#include "sys/bpf.h"

namespace berth::cgroup {

namespace {

// The kernel's dev_t has 12 and 20 bits.
constexpr int64_t kLargestMajor = (1 << 12) - 1;
constexpr int64_t kLargestMinor = (1 << 20) - 1;
constexpr size_t kMostRules = 4096;

Result<std::optional<uint32_t>> parse_number(std::optional<int64_t> number, int64_t largest,
                                             std::string_view what) {
  if (!number || *number == -1) return std::optional<uint32_t>();
  if (*number >= 0 && *number <= largest) return std::optional(static_cast<uint32_t>(*number));
  return fail(Code::refused, "linux.resources.devices: {} is no {} number of a device (0 to {})", *number,
              what, largest);
}

Result<> apply_v1(const Cgroup::Part& part, const Cgroup& cgroup, const std::vector<DeviceRule>& rules) {
  const std::string now = TRY(read_control(part.fd.get(), "devices.list"));
  const std::vector<Write> plan = TRY(plan_v1_devices(rules, now));
  return write_plan(cgroup, plan);
}

Result<> apply_v2(const Cgroup::Part& part, const std::vector<DeviceRule>& rules) {
  const std::vector<bpf_insn> program = TRY(device_program(rules));
  const sys::UniqueFd loaded = TRY(sys::load_bpf(BPF_PROG_TYPE_CGROUP_DEVICE, program, "berth_devices"));
  const std::vector<sys::UniqueFd> before = TRY(sys::attached_bpf(part.fd.get(), BPF_CGROUP_DEVICE));
  TRY(sys::attach_bpf(part.fd.get(), loaded.get(), BPF_CGROUP_DEVICE));
  for (const sys::UniqueFd& old : before) TRY(sys::detach_bpf(part.fd.get(), old.get(), BPF_CGROUP_DEVICE));
  return {};
}

}  // namespace

Result<DeviceRule> parse_device_rule(bool allow, std::string_view type, std::optional<int64_t> major,
                                     std::optional<int64_t> minor, std::string_view access) {
  DeviceRule rule{.allow = allow};
  if (type == "b") {
    rule.type = DeviceType::block;
  } else if (type == "c" || type == "u") {
    rule.type = DeviceType::character;
  } else if (!type.empty() && type != "a") {
    return fail(Code::refused, "linux.resources.devices: \"{}\" is no type of devices (a, b or c)",
                printable(type));
  }
  rule.major = TRY(parse_number(major, kLargestMajor, "major"));
  rule.minor = TRY(parse_number(minor, kLargestMinor, "minor"));
  if (access.empty()) return rule;
  rule.access = 0;
  for (const char letter : access) {
    const uint8_t bit = letter == 'r'   ? kReadDevice
                        : letter == 'w' ? kWriteDevice
                        : letter == 'm' ? kMakeDevice
                                        : 0;
    if (bit == 0) {
      return fail(Code::refused, "linux.resources.devices: \"{}\" is no access (letters of rwm)",
                  printable(access));
    }
    rule.access |= bit;
  }
  return rule;
}

std::string access_letters(uint8_t access) {
  std::string letters;
  if ((access & kReadDevice) != 0) letters += 'r';
  if ((access & kWriteDevice) != 0) letters += 'w';
  if ((access & kMakeDevice) != 0) letters += 'm';
  return letters;
}

std::vector<DeviceRule> default_device_rules() {
  constexpr auto kCharacter = DeviceType::character;
  std::vector<DeviceRule> rules = {
      {.allow = true, .type = kCharacter, .access = kMakeDevice},
      {.allow = true, .type = DeviceType::block, .access = kMakeDevice},
  };
  constexpr uint32_t kMemory = 1;    // null 3, zero 5, full 7, random 8, urandom 9
  constexpr uint32_t kTerminal = 5;  // tty 0, ptmx 2
  constexpr uint32_t kDevpts = 136;
  for (const uint32_t minor : {3U, 5U, 7U, 8U, 9U})
    rules.push_back({true, kCharacter, kMemory, minor, kAnyAccess});
  for (const uint32_t minor : {0U, 2U}) rules.push_back({true, kCharacter, kTerminal, minor, kAnyAccess});
  rules.push_back({true, kCharacter, kDevpts, std::nullopt, kAnyAccess});
  return rules;
}

std::vector<DeviceRule> rules_of_container(const std::vector<DeviceRule>& own) {
  std::vector<DeviceRule> rules = {DeviceRule()};
  rules.insert(rules.end(), own.begin(), own.end());
  const std::vector<DeviceRule> others = default_device_rules();
  rules.insert(rules.end(), others.begin(), others.end());
  return rules;
}

Result<> apply_devices(const Cgroup& cgroup, const std::vector<DeviceRule>& rules) {
  if (rules.size() > kMostRules) {
    return fail(Code::refused, "linux.resources.devices: {} rules; at most {} are taken", rules.size(),
                kMostRules);
  }
  const Cgroup::Part* part = cgroup.with_controller("devices");
  if (part != nullptr) return apply_v1(*part, cgroup, rules);
  part = cgroup.v2();
  if (part == nullptr) {
    return fail(
        "linux.resources.devices: the cgroup controller devices is not there, and cgroup v2 is not mounted");
  }
  TRY_CONTEXT(apply_v2(*part, rules), "limit the devices of {}", part->shown());
  return {};
}

}  // namespace berth::cgroup
