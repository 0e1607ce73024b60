// What a project's policy makes of a container's settings: every refusal in its words, and nothing by half.
#include "engine/ids/project_rules.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\nann:x:1000:100::/home/ann:/bin/sh\n"
    "liar:x:1000040003:5::/:/bin/sh\n";
constexpr std::string_view kGroup = "root:x:0:\nusers:x:100:ann\n";

ProjectRules rules(config::PolicyBase base, const std::string& policy = "web") {
  ProjectRules made;
  made.project = {.name = "shop", .number = 4, .policy = policy};
  made.policy.base.value = base;
  return made;
}
ProjectRules restricted() {
  return rules(config::PolicyBase::restricted, "restricted");
}

Result<> apply(const ProjectRules& to, ContainerSpec& spec, std::string_view image_user = "") {
  return apply_rules(to, image_user, {kPasswd, kGroup}, spec);
}

std::string refusal(const ProjectRules& of, ContainerSpec spec, std::string_view image_user = "") {
  const Result<> applied = apply(of, spec, image_user);
  EXPECT_FALSE(applied);
  return applied ? "" : applied.error().message;
}

TEST(ProjectRules, RestrictedRunsAsTheRangesFirst) {
  for (const char* image_user : {"", "0", "root", "ann", "1000", "no such: user"}) {
    ContainerSpec spec;
    ASSERT_TRUE(apply(restricted(), spec, image_user));
    EXPECT_EQ(spec.user, "1000040000:0") << image_user;
    EXPECT_THAT(spec.additional_groups, ElementsAre("1000040000"));
    EXPECT_EQ(spec.userns, "private");
  }
}

TEST(ProjectRules, RestrictedObeysUsersOfTheRange) {
  for (const auto& [asked, settled] :
       {std::pair{"1000040007", "1000040007:0"}, std::pair{"1000049999:0", "1000049999:0"},
        std::pair{"1000040000:1000049999", "1000040000:1000049999"},
        std::pair{"1000040001:root", "1000040001:0"}, std::pair{"liar", "1000040003:0"},
        std::pair{"1000040003", "1000040003:0"}}) {
    ContainerSpec spec;
    spec.user = asked;
    ASSERT_TRUE(apply(restricted(), spec)) << asked;
    EXPECT_EQ(spec.user, settled);
  }
}

TEST(ProjectRules, RestrictedRefusesOthersWithBothBounds) {
  const std::string range = " is not in the range of project shop, min: 1000040000 max: 1000049999";
  for (const auto& [asked, said] :
       {std::pair{"0", "UID 0"}, std::pair{"1000", "UID 1000"}, std::pair{"root", "UID 0"},
        std::pair{"ann", "UID 1000"}, std::pair{"1000039999", "UID 1000039999"},
        std::pair{"1000050000", "UID 1000050000"}, std::pair{":0", "UID 0"},
        std::pair{"4294967294", "UID 4294967294"}, std::pair{"1000040000:100", "GID 100"},
        std::pair{"1000040000:users", "GID 100"}}) {
    ContainerSpec spec;
    spec.user = asked;
    EXPECT_EQ(refusal(restricted(), spec), fmt::format("--user \"{}\": {}{}", asked, said, range));
  }
  for (const char* asked :
       {"4294967295", "4294967296", "18446744073709551616", "-1", "+5", "1000040000 ", "nobody"}) {
    ContainerSpec spec;
    spec.user = asked;
    EXPECT_THAT(refusal(restricted(), spec), HasSubstr("--user")) << asked;
  }
}

// Whatever user is asked for: it is refused, or it is in the range with a group of the range or 0.
TEST(ProjectRules, RestrictedIsNeverElsewhere) {
  std::mt19937 random(5);
  const auto id = [&]() -> uint64_t {
    constexpr std::array<uint64_t, 8> kEdges{0,          65535,      1000039999, 1000040000,
                                             1000049999, 1000050000, 4294967294, 4294967296};
    return random() % 2 == 0 ? kEdges[random() % kEdges.size()] : 1000035000 + random() % 20000;
  };
  for (int i = 0; i < 5000; ++i) {
    ContainerSpec spec;
    const uint64_t uid = id();
    const uint64_t gid = id();
    const bool with_group = random() % 2 == 0;
    spec.user = with_group ? fmt::format("{}:{}", uid, gid) : std::to_string(uid);
    const auto in_range = [](uint64_t value) { return value >= 1000040000 && value <= 1000049999; };
    const bool fine = in_range(uid) && (!with_group || gid == 0 || in_range(gid));
    ASSERT_EQ(apply(restricted(), spec).has_value(), fine) << spec.user;
    if (!fine) continue;
    ASSERT_EQ(spec.user, fmt::format("{}:{}", uid, with_group ? gid : 0));
  }
}

TEST(ProjectRules, NonrootWantsANumber) {
  const ProjectRules nonroot = rules(config::PolicyBase::nonroot, "nonroot");
  for (const char* user : {"1000", "1:0", "4294967294", "0001"}) {
    ContainerSpec spec;
    EXPECT_TRUE(apply(nonroot, spec, user)) << user;
    EXPECT_EQ(spec.user, "") << "the image says it at every start";
    spec.user = user;
    EXPECT_TRUE(apply(nonroot, spec, "root")) << user;
  }
  const std::string refused = " is refused by the policy of project shop, nonroot: ";
  for (const auto& [user, why] :
       {std::pair{"", "it is root"}, std::pair{"0", "it is root"}, std::pair{"000", "it is root"},
        std::pair{"0:1000", "it is root"}, std::pair{":1000", "it is root"},
        std::pair{"ann", "only a number shows that it is not root"},
        std::pair{"-1", "only a number shows that it is not root"},
        std::pair{"1000x", "only a number shows that it is not root"}}) {
    EXPECT_EQ(refusal(nonroot, {}, user), fmt::format("the image's USER \"{}\"{}{}", user, refused, why));
    if (*user == '\0') continue;
    ContainerSpec spec;
    spec.user = user;
    EXPECT_EQ(refusal(nonroot, spec, "1000"), fmt::format("--user \"{}\"{}{}", user, refused, why));
  }
  EXPECT_THAT(refusal(nonroot, {}, "4294967296"), HasSubstr("4294967296"))
      << "a number that is none is not 0";
}

TEST(ProjectRules, AnyuidLeavesTheUserToTheImage) {
  ContainerSpec spec;
  ASSERT_TRUE(apply(rules(config::PolicyBase::anyuid), spec, "root"));
  EXPECT_EQ(spec.user, "");
  EXPECT_TRUE(spec.additional_groups.empty());
  EXPECT_EQ(spec.userns, "private");
}

TEST(ProjectRules, EveryPolicyRefusesWhatIsNotTheProjects) {
  struct Case {
    void (*ask)(ContainerSpec&);
    const char* said;
  };
  for (const Case& one : std::initializer_list<Case>{
           {[](ContainerSpec& spec) { spec.userns = "host"; }, "--userns host can't go with --project shop"},
           {[](ContainerSpec& spec) { spec.userns = "keep-id"; },
            "--userns keep-id can't go with --project shop"},
           {[](ContainerSpec& spec) { spec.userns = "container:x"; }, "--userns container:x can't go with"},
           {[](ContainerSpec& spec) { spec.userns = "ns:/proc/1/ns/user"; },
            "--userns ns:/proc/1/ns/user can't go"},
           {[](ContainerSpec& spec) { spec.uid_maps = {"0:0:1"}; }, "--uidmap can't go with --project shop"},
           {[](ContainerSpec& spec) { spec.gid_maps = {"0:0:1"}; }, "--gidmap can't go with --project shop"},
           {[](ContainerSpec& spec) { spec.banks = {"3"}; },
            "--bank can't go with --project shop: its containers "
            "have its own IDs, and no others"},
           {[](ContainerSpec& spec) { spec.allow_shared_ids = true; }, "--allow-shared-ids can't go with"},
           {[](ContainerSpec& spec) { spec.network = "host"; },
            "--network host is refused by the policy of project shop, web: a project's namespaces are "
            "private"},
           {[](ContainerSpec& spec) { spec.privileged = true; },
            "--privileged is refused by the policy of project shop, web: no policy of a project allows it"},
           {[](ContainerSpec& spec) { spec.seccomp = "unconfined"; },
            "--security-opt seccomp is refused by the policy of project shop, web: a project has berth's own "
            "filter"},
           {[](ContainerSpec& spec) { spec.devices = {{"/dev/fuse", "/dev/fuse"}}; },
            "--device /dev/fuse is refused by the policy of project shop, web: a project has none of the "
            "host's "
            "devices"},
           {[](ContainerSpec& spec) { spec.capabilities_added = {"net_raw"}; },
            "--cap-add CAP_NET_RAW is refused by the policy: the project policy web allows none"},
           {[](ContainerSpec& spec) { spec.capabilities_added = {"all"}; },
            "--cap-add ALL is refused by the policy"},
           {[](ContainerSpec& spec) { spec.capabilities_added = {"NET_RAWW"}; },
            "--cap-add: there is no capability \"NET_RAWW\""}}) {
    for (const config::PolicyBase base :
         {config::PolicyBase::restricted, config::PolicyBase::nonroot, config::PolicyBase::anyuid}) {
      ContainerSpec spec;
      one.ask(spec);
      EXPECT_THAT(refusal(rules(base), spec, "1000"), testing::StartsWith(one.said));
    }
  }
}

TEST(ProjectRules, ACustomPolicyGivesAndTakes) {
  ProjectRules custom = rules(config::PolicyBase::anyuid);
  custom.policy.capabilities.value = {"CAP_NET_RAW"};
  custom.policy.drop_capabilities.value = {"CAP_CHOWN", "CAP_KILL"};
  custom.policy.read_only.value = true;
  custom.policy.no_new_privileges.value = true;
  ContainerSpec spec;
  spec.capabilities_added = {"cap_net_raw"};
  spec.capabilities_dropped = {"CAP_KILL"};
  ASSERT_TRUE(apply(custom, spec));
  EXPECT_THAT(spec.capabilities_dropped, ElementsAre("CAP_KILL", "CAP_CHOWN"));
  EXPECT_TRUE(spec.read_only);
  EXPECT_TRUE(spec.no_new_privileges);
  const std::string once = to_json(spec).value();
  ASSERT_TRUE(apply(custom, spec));
  EXPECT_EQ(to_json(spec).value(), once) << "a restart means the same";
  custom.policy.capabilities.value = {"ALL"};
  spec.capabilities_added = {"ALL", "SYS_ADMIN"};
  EXPECT_TRUE(apply(custom, spec));
}

TEST(ProjectRules, OnceMoreChangesNothing) {
  ContainerSpec spec;
  spec.user = "1000040007";
  ASSERT_TRUE(apply(restricted(), spec));
  const std::string once = to_json(spec).value();
  ASSERT_TRUE(apply(restricted(), spec));
  EXPECT_EQ(to_json(spec).value(), once);
}

}  // namespace
}  // namespace berth::engine
