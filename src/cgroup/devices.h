// Which devices a container's processes may make, read and write (config-linux.md, "Allowed Device list").
//
// A list of rules, of which the last that speaks of a device and an access decides about it. v1 has two lists
// in the kernel (devices.allow, devices.deny), v2 a program that is attached to the cgroup.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <linux/bpf.h>

#include "base/error.h"
#include "cgroup/cgroup.h"
#include "cgroup/limits.h"

namespace berth::cgroup {

enum class DeviceType { all, block, character };

// BPF_DEVCG_ACC_*.
inline constexpr uint8_t kMakeDevice = 1;
inline constexpr uint8_t kReadDevice = 2;
inline constexpr uint8_t kWriteDevice = 4;
inline constexpr uint8_t kAnyAccess = 7;

struct DeviceRule {
  bool allow = false;
  DeviceType type = DeviceType::all;
  std::optional<uint32_t> major, minor;  // nullopt: any
  uint8_t access = kAnyAccess;
  bool operator==(const DeviceRule&) const = default;
};

// From the fields of linux.resources.devices[]. `type`: "a", "b", "c", "u" (as "c") or "", which is "a";
// numbers: -1 is any, as other runtimes take it; `access`: letters of "rwm", or "", which is all.
// Code::refused for others.
Result<DeviceRule> parse_device_rule(bool allow, std::string_view type, std::optional<int64_t> major,
                                     std::optional<int64_t> minor, std::string_view access);

// "rwm", or what of it there is.
std::string access_letters(uint8_t access);

// What every container gets after its own rules: making any node, and using the devices that the spec
// supplies (null, zero, full, random, urandom, tty, ptmx, and the terminals of devpts). As in runc and crun.
std::vector<DeviceRule> default_device_rules();

// The rules that hold for a container: nothing is allowed but by its own ones and the default ones.
std::vector<DeviceRule> rules_of_container(const std::vector<DeviceRule>& own);

// Pure: what to write on v1, whose devices.list is `now`. A list of allowed devices is changed device by
// device, so that none is denied meanwhile. Code::refused where the kernel's list can't say it: one device
// denied of many that are allowed by one rule.
Result<std::vector<Write>> plan_v1_devices(const std::vector<DeviceRule>& rules, std::string_view now);

// Pure: the program for v2 (BPF_PROG_TYPE_CGROUP_DEVICE), some six instructions for each device or group of
// devices that is named. Code::refused if those are thousands.
Result<std::vector<bpf_insn>> device_program(const std::vector<DeviceRule>& rules);

// Makes the rules hold, on v1 if it has the controller "devices" and otherwise on v2, in place of those that
// this cgroup had. In between, both hold.
Result<> apply_devices(const Cgroup& cgroup, const std::vector<DeviceRule>& rules);

}  // namespace berth::cgroup
