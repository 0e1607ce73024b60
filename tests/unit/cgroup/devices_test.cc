// Device rules: what they mean, as v1's lists, and as the program of v2, which is run here on every kind of
// attempt.
#include "cgroup/devices.h"

#include <array>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::cgroup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Attempt {
  DeviceType type;
  uint32_t major, minor;
  uint8_t access;
};

// What the rules mean, said in the shortest way.
bool allowed(const std::vector<DeviceRule>& rules, const Attempt& attempt) {
  for (const uint8_t bit : {kMakeDevice, kReadDevice, kWriteDevice}) {
    if ((attempt.access & bit) == 0) continue;
    bool last = false;
    for (const DeviceRule& rule : rules) {
      if ((rule.type == DeviceType::all || rule.type == attempt.type) &&
          rule.major.value_or(attempt.major) == attempt.major &&
          rule.minor.value_or(attempt.minor) == attempt.minor && (rule.access & bit) != 0) {
        last = rule.allow;
      }
    }
    if (!last) return false;
  }
  return true;
}

// The instructions that the programs are made of, as the kernel runs them. Fails on any other, on a jump
// backwards or out, and if the program does not end.
bool run(const std::vector<bpf_insn>& program, const Attempt& attempt) {
  std::array<uint64_t, 11> registers{};
  const auto type =
      static_cast<uint32_t>(attempt.type == DeviceType::block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
  const std::array<uint32_t, 3> context = {static_cast<uint32_t>(attempt.access) << 16 | type, attempt.major,
                                           attempt.minor};
  for (size_t at = 0; at < program.size(); ++at) {
    const bpf_insn& one = program[at];
    uint64_t& to = registers.at(one.dst_reg);
    const auto immediate = static_cast<uint64_t>(static_cast<int64_t>(one.imm));
    bool jump = false;
    switch (one.code) {
      case BPF_LDX | BPF_W | BPF_MEM:
        to = context.at(static_cast<size_t>(one.off) / 4);
        break;
      case BPF_ALU64 | BPF_MOV | BPF_X:
        to = registers.at(one.src_reg);
        break;
      case BPF_ALU64 | BPF_MOV | BPF_K:
        to = immediate;
        break;
      case BPF_ALU64 | BPF_AND | BPF_K:
        to &= immediate;
        break;
      case BPF_ALU64 | BPF_RSH | BPF_K:
        to >>= immediate;
        break;
      case BPF_JMP | BPF_JNE | BPF_K:
        jump = to != immediate;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        jump = (to & immediate) != 0;
        break;
      case BPF_JMP | BPF_JA:
        jump = true;
        break;
      case BPF_JMP | BPF_EXIT:
        return registers[0] != 0;
      default:
        ADD_FAILURE() << "instruction " << int{one.code};
        return false;
    }
    if (!jump) continue;
    EXPECT_GE(one.off, 0);
    at += static_cast<size_t>(one.off);
  }
  ADD_FAILURE() << "the program has no end";
  return false;
}

void expect_same(const std::vector<DeviceRule>& rules) {
  const std::vector<bpf_insn> program = device_program(rules).value();
  for (const DeviceType type : {DeviceType::block, DeviceType::character}) {
    for (const uint32_t major : {0U, 1U, 5U, 4095U}) {
      for (const uint32_t minor : {0U, 3U, 1048575U}) {
        for (uint8_t access = 1; access <= kAnyAccess; ++access) {
          const Attempt attempt{type, major, minor, access};
          EXPECT_EQ(run(program, attempt), allowed(rules, attempt))
              << (type == DeviceType::block ? 'b' : 'c') << ' ' << major << ':' << minor << ' '
              << int{access};
        }
      }
    }
  }
}

DeviceRule allow(DeviceType type, std::optional<uint32_t> major, std::optional<uint32_t> minor,
                 uint8_t access) {
  return {true, type, major, minor, access};
}
DeviceRule deny(DeviceType type, std::optional<uint32_t> major, std::optional<uint32_t> minor,
                uint8_t access) {
  return {false, type, major, minor, access};
}
constexpr auto kBlock = DeviceType::block;
constexpr auto kCharacter = DeviceType::character;
constexpr auto kAll = DeviceType::all;
constexpr auto kAnyNumber = std::nullopt;

TEST(DeviceRules, FromTheFieldsOfAConfiguration) {
  EXPECT_EQ(parse_device_rule(false, "", {}, {}, "").value(), DeviceRule());
  EXPECT_EQ(parse_device_rule(true, "c", 1, -1, "rm").value(),
            allow(kCharacter, 1, kAnyNumber, kReadDevice | kMakeDevice));
  EXPECT_EQ(parse_device_rule(true, "b", 8, 0, "wr").value(),
            allow(kBlock, 8, 0, kReadDevice | kWriteDevice));
  EXPECT_FALSE(parse_device_rule(true, "p", 1, 1, "r"));
  EXPECT_FALSE(parse_device_rule(true, "c", 4096, 1, "r"));
  EXPECT_FALSE(parse_device_rule(true, "c", 4294967297, 1, "r"));
  EXPECT_FALSE(parse_device_rule(true, "c", 1, -2, "r"));
  EXPECT_FALSE(parse_device_rule(true, "c", 1, 1, "rx"));
}

TEST(DeviceProgram, SaysWhatTheRulesSay) {
  expect_same({});
  expect_same({allow(kAll, kAnyNumber, kAnyNumber, kAnyAccess)});
  expect_same(rules_of_container({}));
  expect_same(rules_of_container({allow(kBlock, 1, 3, kReadDevice), deny(kCharacter, 1, 3, kWriteDevice)}));
  expect_same({allow(kAll, kAnyNumber, kAnyNumber, kAnyAccess), deny(kAll, 5, kAnyNumber, kWriteDevice)});
}

// A program that looks at the access as a whole passes this: to read and write is not what either rule names.
TEST(DeviceProgram, WhatIsDeniedStaysSoTogetherWithWhatIsAllowed) {
  const std::vector<DeviceRule> rules = {deny(kAll, kAnyNumber, kAnyNumber, kAnyAccess),
                                         allow(kBlock, 8, 0, kAnyAccess), deny(kBlock, 8, 0, kWriteDevice)};
  const auto program = device_program(rules).value();
  EXPECT_TRUE(run(program, {kBlock, 8, 0, kReadDevice}));
  EXPECT_FALSE(run(program, {kBlock, 8, 0, kWriteDevice}));
  EXPECT_FALSE(run(program, {kBlock, 8, 0, kReadDevice | kWriteDevice}));
  // And what two rules allow is allowed together.
  const auto both =
      device_program({allow(kBlock, 8, 0, kReadDevice), allow(kBlock, 8, kAnyNumber, kWriteDevice)}).value();
  EXPECT_TRUE(run(both, {kBlock, 8, 0, kReadDevice | kWriteDevice}));
  EXPECT_FALSE(run(both, {kBlock, 8, 1, kReadDevice | kWriteDevice}));
}

TEST(DeviceProgram, SaysWhatAnyRulesSay) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp,cert-msc32-c): the same each time
  const auto pick = [&random](uint32_t below) { return static_cast<uint32_t>(random() % below); };
  const auto number = [&pick](std::initializer_list<uint32_t> numbers) -> std::optional<uint32_t> {
    const uint32_t at = pick(static_cast<uint32_t>(numbers.size()) + 1);
    return at == numbers.size() ? std::optional<uint32_t>() : std::optional(numbers.begin()[at]);
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<DeviceRule> rules;
    for (uint32_t count = pick(8); count > 0; --count) {
      rules.push_back({pick(2) == 0, static_cast<DeviceType>(pick(3)), number({0, 1, 5, 4095}),
                       number({0, 3, 1048575}), static_cast<uint8_t>(pick(8))});
    }
    expect_same(rules);
  }
}

TEST(DeviceProgram, TooManyDevicesAreRefused) {
  std::vector<DeviceRule> rules;
  for (uint32_t number = 0; number < 64; ++number) {
    rules.push_back(allow(kAll, number, kAnyNumber, kReadDevice));
    rules.push_back(allow(kAll, kAnyNumber, number, kWriteDevice));
  }
  const auto program = device_program(rules);
  ASSERT_FALSE(program);
  EXPECT_THAT(program.error().message, HasSubstr("the rules name too many devices"));
}

std::vector<std::string> v1(const std::vector<DeviceRule>& rules, std::string_view now = "a *:* rwm\n") {
  const auto plan = plan_v1_devices(rules, now);
  if (!plan) return {plan.error().message};
  std::vector<std::string> out;
  for (const Write& write : *plan) out.push_back(write.file.substr(8) + " " + write.value);
  return out;
}

TEST(DeviceLists, OfAContainer) {
  EXPECT_THAT(v1(rules_of_container({allow(kBlock, 8, 0, kReadDevice), allow(kBlock, 8, 0, kWriteDevice)})),
              ElementsAre("deny a", "allow b 8:0 rw", "allow c *:* m", "allow b *:* m", "allow c 1:3 rwm",
                          "allow c 1:5 rwm", "allow c 1:7 rwm", "allow c 1:8 rwm", "allow c 1:9 rwm",
                          "allow c 5:0 rwm", "allow c 5:2 rwm", "allow c 136:* rwm"));
}

TEST(DeviceLists, ARuleForAllWithANumberIsNotOneForEverything) {
  // The kernel takes "a 1:3 r" for "everything".
  EXPECT_THAT(v1({DeviceRule(), allow(kAll, 1, 3, kReadDevice)}),
              ElementsAre("deny a", "allow b 1:3 r", "allow c 1:3 r"));
}

TEST(DeviceLists, EverythingButSome) {
  EXPECT_THAT(v1({allow(kAll, kAnyNumber, kAnyNumber, kAnyAccess),
                  deny(kBlock, kAnyNumber, kAnyNumber, kWriteDevice)}),
              ElementsAre("allow a", "deny b *:* w"));
}

TEST(DeviceLists, WhatTheKernelCantSayIsRefused) {
  EXPECT_THAT(
      v1({DeviceRule(), allow(kCharacter, 1, kAnyNumber, kAnyAccess), deny(kCharacter, 1, 3, kWriteDevice)}),
      ElementsAre(HasSubstr("cgroup v1 can't deny \"c 1:3 w\" where \"c 1:* rwm\" is allowed")));
  EXPECT_THAT(
      v1({DeviceRule(), allow(kCharacter, 1, 3, kAnyAccess), deny(kCharacter, 1, kAnyNumber, kWriteDevice)}),
      ElementsAre("deny a", "allow c 1:3 rm"));
}

TEST(DeviceLists, AnUpdateChangesOnlyWhatIsOther) {
  const char* now = "c 1:3 rwm\nb 8:0 r\nc 136:* rwm\n";
  EXPECT_THAT(v1({DeviceRule(), allow(kCharacter, 1, 3, kAnyAccess), allow(kBlock, 8, 0, kWriteDevice),
                  allow(kCharacter, 136, kAnyNumber, kReadDevice)},
                 now),
              ElementsAre("allow b 8:0 w", "deny b 8:0 r", "deny c 136:* wm"));
  EXPECT_THAT(v1({DeviceRule()}, ""), IsEmpty());
  EXPECT_THAT(v1({allow(kAll, kAnyNumber, kAnyNumber, kAnyAccess)}, now), ElementsAre("allow a"));
}

}  // namespace
}  // namespace berth::cgroup
