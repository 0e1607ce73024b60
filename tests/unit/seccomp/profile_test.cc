#include "seccomp/profile.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "oci/capability_names.h"

namespace berth::seccomp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Facts kFacts{SCMP_ARCH_X86_64, oci::capability_bit(CAP_CHOWN) | oci::capability_bit(CAP_SYS_CHROOT),
                       5, 10};

Profile parse(std::string_view text) {
  auto profile = parse_profile(text, kFacts);
  EXPECT_TRUE(profile) << profile.error().message;
  return profile.value_or(Profile{});
}
std::string refusal(std::string_view text) {
  const auto profile = parse_profile(text, kFacts);
  return profile ? "accepted" : profile.error().message;
}
// The names of the rules that are left of one with the given members.
std::vector<std::string> left_of(std::string_view members) {
  const auto profile = parse(fmt::format(
      R"({{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{{"names": ["x"], "action": "SCMP_ACT_ALLOW", {}}}]}})",
      members));
  std::vector<std::string> names;
  for (const Rule& rule : profile.rules) names.insert(names.end(), rule.names.begin(), rule.names.end());
  return names;
}

TEST(Profile, TheRuntimeSpecificationsFormat) {
  const Profile profile = parse(R"({
    "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
    "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
    "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"],
    "syscalls": [
      {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
      {"names": ["clone"], "action": "SCMP_ACT_ALLOW",
       "args": [{"index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]},
      {"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13},
      {"names": ["reboot"], "action": "SCMP_ACT_KILL_PROCESS"}
    ]})");
  EXPECT_EQ(profile.default_action, uint32_t{SECCOMP_RET_ERRNO | ENOSYS});
  EXPECT_THAT(profile.architectures, ElementsAre(SCMP_ARCH_X86));
  EXPECT_EQ(profile.flags, uint32_t{SECCOMP_FILTER_FLAG_LOG});
  ASSERT_EQ(profile.rules.size(), 4U);
  EXPECT_THAT(profile.rules[0].names, ElementsAre("read", "write"));
  EXPECT_EQ(profile.rules[1].arguments[0].value, 2114060288U);
  EXPECT_EQ(profile.rules[2].action, uint32_t{SECCOMP_RET_ERRNO | EACCES});
  EXPECT_EQ(profile.rules[3].action, SECCOMP_RET_KILL_PROCESS);
}

TEST(Profile, DockersFormat) {
  const Profile profile = parse(R"({
    "defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "EACCES",
    "archMap": [
      {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
      {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
      {"architecture": "SCMP_ARCH_OF_TOMORROW", "subArchitectures": null}],
    "syscalls": [
      {"name": "read", "action": "SCMP_ACT_ALLOW", "args": null, "comment": "", "includes": {}, "excludes": {}},
      {"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "errno": "EPERM"}]})");
  EXPECT_EQ(profile.default_action, uint32_t{SECCOMP_RET_ERRNO | EACCES});
  EXPECT_THAT(profile.architectures, ElementsAre(SCMP_ARCH_X86, SCMP_ARCH_X32));
  EXPECT_EQ(profile.rules[1].action, uint32_t{SECCOMP_RET_ERRNO | EPERM});
}

TEST(Profile, ConditionsDecideWhichRulesCount) {
  EXPECT_THAT(left_of(R"("includes": {"caps": ["CAP_CHOWN"]})"), ElementsAre("x"));
  EXPECT_THAT(left_of(R"("includes": {"caps": ["CAP_CHOWN", "CAP_SYS_CHROOT"]})"), ElementsAre("x"));
  EXPECT_THAT(left_of(R"("includes": {"caps": ["CAP_CHOWN", "CAP_SYS_ADMIN"]})"), IsEmpty());
  EXPECT_THAT(left_of(R"("excludes": {"caps": ["CAP_SYS_ADMIN"]})"), ElementsAre("x"));
  EXPECT_THAT(left_of(R"("excludes": {"caps": ["CAP_SYS_ADMIN", "CAP_CHOWN"]})"), IsEmpty());
  EXPECT_THAT(left_of(R"("includes": {"arches": ["amd64", "x32"]})"), ElementsAre("x"));
  EXPECT_THAT(left_of(R"("includes": {"arches": ["arm64", "mips"]})"), IsEmpty());
  EXPECT_THAT(left_of(R"("excludes": {"arches": ["s390", "s390x"]})"), ElementsAre("x"));
  EXPECT_THAT(left_of(R"("excludes": {"arches": ["amd64"]})"), IsEmpty());
  EXPECT_THAT(left_of(R"("includes": {"minKernel": "4.8"})"), ElementsAre("x"));
  EXPECT_THAT(left_of(R"("includes": {"minKernel": "5.10"})"), ElementsAre("x"));
  EXPECT_THAT(left_of(R"("includes": {"minKernel": "5.11"})"), IsEmpty());
  EXPECT_THAT(left_of(R"("includes": {"minKernel": "6.1"})"), IsEmpty());
  EXPECT_THAT(left_of(R"("excludes": {"minKernel": "4.8"})"), IsEmpty());
}

TEST(Profile, OneArgumentTwiceMeansEither) {
  const Profile profile = parse(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["personality"], "action": "SCMP_ACT_LOG", "args": [
      {"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]},
    {"names": ["socket"], "action": "SCMP_ACT_LOG", "args": [
      {"index": 0, "value": 1, "op": "SCMP_CMP_NE"}, {"index": 2, "value": 18446744073709551615, "op": "SCMP_CMP_LE"}]}]})");
  ASSERT_EQ(profile.rules.size(), 3U);
  EXPECT_EQ(profile.rules[1].arguments.size(), 1U);
  EXPECT_EQ(profile.rules[2].arguments.size(), 2U);
  EXPECT_EQ(profile.rules[2].arguments[1].value, UINT64_MAX);
}

TEST(Profile, NotifyNeedsAnAgentAndAsksForAListener) {
  const auto notifying = [](std::string_view flags) {
    return fmt::format(
        R"({{"defaultAction": "SCMP_ACT_ALLOW", "flags": [{}],
             "syscalls": [{{"names": ["mknod"], "action": "SCMP_ACT_NOTIFY"}}]}})",
        flags);
  };
  Facts facts = kFacts;
  EXPECT_THAT(refusal(notifying("")),
              HasSubstr("syscalls[0]: action is SCMP_ACT_NOTIFY, and there is no agent"));
  facts.agent = true;
  const auto plain = parse_profile(notifying(""), facts);
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->rules[0].action, uint32_t{SECCOMP_RET_USER_NOTIF});
  EXPECT_EQ(plain->flags, uint32_t{SECCOMP_FILTER_FLAG_NEW_LISTENER});
  const auto killable = parse_profile(notifying(R"("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")"), facts);
  ASSERT_TRUE(killable) << killable.error().message;
  EXPECT_EQ(killable->flags,
            uint32_t{SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV});
  // The kernel would refuse it without a listener.
  EXPECT_EQ(
      parse(R"({"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]})")
          .flags,
      0U);
}

TEST(Profile, WhatItKnowsHasNames) {
  EXPECT_THAT(action_names(), testing::IsSupersetOf({"SCMP_ACT_NOTIFY", "SCMP_ACT_ERRNO"}));
  EXPECT_THAT(operator_names(), testing::SizeIs(7));
  EXPECT_THAT(architecture_names(), testing::Contains("SCMP_ARCH_X86_64"));
  EXPECT_THAT(flag_names(), testing::IsSupersetOf(usable_flag_names()));
  EXPECT_THAT(usable_flag_names(), testing::Contains("SECCOMP_FILTER_FLAG_LOG"));
}

TEST(Profile, MalformedOnesAreRefusedWithThePlace) {
  const auto with_rule = [](std::string_view rule) {
    return refusal(fmt::format(R"({{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{}]}})", rule));
  };
  EXPECT_THAT(refusal(""), HasSubstr("the seccomp profile: it is not valid JSON"));
  EXPECT_THAT(refusal("[]"), HasSubstr("must be an object"));
  EXPECT_THAT(refusal("{}"), HasSubstr("unknown defaultAction \"\""));
  EXPECT_THAT(refusal(R"({"defaultAction": "SCMP_ACT_NOTIFY"})"), HasSubstr("agent"));
  EXPECT_THAT(refusal(R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096})"),
              HasSubstr("0 to 4095"));
  EXPECT_THAT(refusal(R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "EWHAT"})"), HasSubstr("EWHAT"));
  EXPECT_THAT(refusal(R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["Z80"]})"), HasSubstr("Z80"));
  EXPECT_THAT(refusal(R"({"defaultAction": "SCMP_ACT_ALLOW", "flags": ["X"]})"), HasSubstr("unknown flag"));
  EXPECT_THAT(refusal(R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"],
                          "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]})"),
              HasSubstr("both"));
  EXPECT_THAT(with_rule("1"), HasSubstr("syscalls[0]: it must be an object"));
  EXPECT_THAT(with_rule(R"({"action": "SCMP_ACT_ALLOW"})"), HasSubstr("names no system call"));
  EXPECT_THAT(with_rule(R"({"names": ["a\u0000b"], "action": "SCMP_ACT_ALLOW"})"), HasSubstr("NUL"));
  EXPECT_THAT(with_rule(R"({"names": ["a"], "action": "ALLOW"})"), HasSubstr("unknown action"));
  EXPECT_THAT(with_rule(R"({"names": ["a"], "action": "SCMP_ACT_KILL", "errnoRet": 5})"),
              HasSubstr("syscalls[0]: action SCMP_ACT_KILL has no error, so errnoRet is not allowed"));
  EXPECT_THAT(
      with_rule(
          R"({"names": ["a"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 6, "op": "SCMP_CMP_EQ"}]})"),
      HasSubstr("index must be a number from 0 to 5"));
  EXPECT_THAT(
      with_rule(
          R"({"names": ["a"], "action": "SCMP_ACT_ALLOW", "args": [{"value": -1, "op": "SCMP_CMP_EQ"}]})"),
      HasSubstr("value must be"));
  EXPECT_THAT(with_rule(R"({"names": ["a"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_X"]}})"),
              HasSubstr("no capability"));
  EXPECT_THAT(with_rule(R"({"names": ["a"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "five"}})"),
              HasSubstr("not a version"));
  EXPECT_THAT(refusal(std::string(2 << 20, ' ')), HasSubstr("at most"));
  std::string many =
      R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_LOG", "names": ["a")";
  for (int i = 0; i < 20000; ++i) many += R"(,"a")";
  EXPECT_THAT(refusal(many + "]}]}"), HasSubstr("more than 16384 names"));
}

}  // namespace
}  // namespace berth::seccomp
