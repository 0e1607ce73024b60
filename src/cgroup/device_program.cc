// The program that decides about devices on v2. The kernel calls it with a bpf_cgroup_dev_ctx for each
// attempt and denies it for 0.
//
// An attempt may be for several kinds of access at once, reading and writing, and each kind is decided by the
// last rule that speaks of it. What the rules say of a device does not depend on the attempt, so it is worked
// out here: the program compares the device with each kind of place that the rules name, the narrow ones
// before the wide ones, and has for each the set of what is allowed. It carries nothing from one to the next;
// if it did, the time that the kernel takes to verify it would grow with far more than the number of the
// rules.
#include <cstddef>
#include <set>

#include "cgroup/devices.h"

namespace berth::cgroup {

namespace {

constexpr size_t kMostPlaces = 4096;  // jumps across all of them must fit into 16 bits

enum Register : uint8_t { kResult = 0, kContext = 1, kType = 2, kAccess = 3, kMajor = 4, kMinor = 5 };
static_assert(kMakeDevice == BPF_DEVCG_ACC_MKNOD && kReadDevice == BPF_DEVCG_ACC_READ &&
              kWriteDevice == BPF_DEVCG_ACC_WRITE);

using Number = std::optional<uint32_t>;

// Devices of one type: one, all of a major number, all of a minor number, or all.
struct Place {
  Number major, minor;
};

bool covers(const DeviceRule& rule, DeviceType type, const Place& place) {
  return (rule.type == DeviceType::all || rule.type == type) && (!rule.major || rule.major == place.major) &&
         (!rule.minor || rule.minor == place.minor);
}

uint8_t allowed_at(const std::vector<DeviceRule>& rules, DeviceType type, const Place& place) {
  uint8_t allowed = 0;
  for (const DeviceRule& rule : rules) {
    if (!covers(rule, type, place)) continue;
    allowed = static_cast<uint8_t>(rule.allow ? allowed | rule.access : allowed & ~rule.access);
  }
  return allowed;
}

// Every place that the rules name and where two of them meet, so that for each device the first that it is in
// is covered by every rule that speaks of it.
Result<std::vector<Place>> places_of(const std::vector<DeviceRule>& rules, DeviceType type) {
  std::set<std::pair<uint32_t, uint32_t>> single;
  std::set<uint32_t> majors;
  std::set<uint32_t> minors;
  for (const DeviceRule& rule : rules) {
    if (rule.type != DeviceType::all && rule.type != type) continue;
    if (rule.major && rule.minor) single.emplace(*rule.major, *rule.minor);
    if (rule.major && !rule.minor) majors.insert(*rule.major);
    if (!rule.major && rule.minor) minors.insert(*rule.minor);
  }
  if (single.size() + majors.size() * minors.size() + majors.size() + minors.size() > kMostPlaces) {
    return fail(Code::refused,
                "linux.resources.devices: the rules name too many devices; at most {} are taken",
                kMostPlaces);
  }
  for (const uint32_t major : majors) {
    for (const uint32_t minor : minors) single.emplace(major, minor);
  }
  std::vector<Place> places;
  for (const auto& [major, minor] : single) places.push_back({major, minor});
  for (const uint32_t major : majors) places.push_back({major, std::nullopt});
  for (const uint32_t minor : minors) places.push_back({std::nullopt, minor});
  places.push_back({});
  return places;
}

bpf_insn instruction(unsigned code, Register to, Register from, size_t offset, uint32_t value) {
  bpf_insn out{};
  out.code = static_cast<__u8>(code);
  out.dst_reg = to & 0xf;
  out.src_reg = from & 0xf;
  out.off = static_cast<__s16>(offset);
  out.imm = static_cast<__s32>(value);
  return out;
}

// Instructions with a way out of them, to what comes after.
class Block {
 public:
  void unless_equal_leave(Register left, uint32_t value) {
    leaving_.push_back(code_.size());
    code_.push_back(instruction(BPF_JMP | BPF_JNE | BPF_K, left, kResult, 0, value));
  }
  void verdict(uint8_t allowed) {
    constexpr size_t kLengthOfEnd = 2;
    if (allowed != 0 && allowed != kAnyAccess) {
      const auto denied = static_cast<uint32_t>(kAnyAccess & ~allowed);
      code_.push_back(instruction(BPF_JMP | BPF_JSET | BPF_K, kAccess, kResult, kLengthOfEnd, denied));
      end(true);
    }
    end(allowed == kAnyAccess);
  }
  void append(std::vector<bpf_insn> code) { code_.insert(code_.end(), code.begin(), code.end()); }

  // The instructions, with the ways out leading behind the last one.
  [[nodiscard]] std::vector<bpf_insn> take() {
    for (const size_t at : leaving_) code_[at].off = static_cast<__s16>(code_.size() - at - 1);
    return std::move(code_);
  }

 private:
  void end(bool allow) {
    code_.push_back(instruction(BPF_ALU64 | BPF_MOV | BPF_K, kResult, kResult, 0, allow ? 1 : 0));
    code_.push_back(instruction(BPF_JMP | BPF_EXIT, kResult, kResult, 0, 0));
  }

  std::vector<bpf_insn> code_;
  std::vector<size_t> leaving_;
};

std::vector<bpf_insn> load_context() {
  const auto load = [](Register to, size_t offset) {
    return instruction(BPF_LDX | BPF_W | BPF_MEM, to, kContext, offset, 0);
  };
  constexpr uint32_t kTypeBits = 0xffff;
  constexpr uint32_t kAccessShift = 16;
  return {
      load(kType, offsetof(bpf_cgroup_dev_ctx, access_type)),
      instruction(BPF_ALU64 | BPF_MOV | BPF_X, kAccess, kType, 0, 0),
      instruction(BPF_ALU64 | BPF_AND | BPF_K, kType, kResult, 0, kTypeBits),
      instruction(BPF_ALU64 | BPF_RSH | BPF_K, kAccess, kResult, 0, kAccessShift),
      load(kMajor, offsetof(bpf_cgroup_dev_ctx, major)),
      load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor)),
  };
}

Result<std::vector<bpf_insn>> decide(const std::vector<DeviceRule>& rules, DeviceType type) {
  Block all;
  const std::vector<Place> places = TRY(places_of(rules, type));
  for (const Place& place : places) {
    Block one;
    if (place.major) one.unless_equal_leave(kMajor, *place.major);
    if (place.minor) one.unless_equal_leave(kMinor, *place.minor);
    one.verdict(allowed_at(rules, type, place));
    all.append(one.take());
  }
  return all.take();
}

}  // namespace

Result<std::vector<bpf_insn>> device_program(const std::vector<DeviceRule>& rules) {
  Block program;
  program.append(load_context());
  Block blocks;
  blocks.unless_equal_leave(kType, BPF_DEVCG_DEV_BLOCK);
  blocks.append(TRY(decide(rules, DeviceType::block)));
  program.append(blocks.take());
  program.append(TRY(decide(rules, DeviceType::character)));
  return program.take();
}

}  // namespace berth::cgroup
