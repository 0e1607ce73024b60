#include "config/policy_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/parse.h"

namespace berth::config {
namespace {

using testing::HasSubstr;

Config parsed(std::string_view text) {
  auto config = parse(text, "/etc/berth/berth.toml");
  EXPECT_TRUE(config) << config.error().message;
  return config ? std::move(config).value() : Config{};
}
std::string answer(const Result<>& result) {
  return result ? "allowed" : result.error().message;
}
std::string userns(const Config& config, std::string_view mode) {
  return answer(check_userns(config, idmap::parse_userns_mode(mode).value()));
}

TEST(PolicyChecks, WithoutAFileEverythingIsAllowed) {
  const Config config;
  for (const char* mode : {"private", "host", "keep-id", "container:web", "ns:/proc/1/ns/user", "auto"}) {
    EXPECT_EQ(userns(config, mode), "allowed");
  }
  const std::vector<idmap::IdRange> anything{{0, 4294967295}};
  EXPECT_TRUE(check_ranges(config, anything, "--uidmap 0:0"));
  EXPECT_TRUE(check_shared_ids(config));
  EXPECT_TRUE(check_host_namespace(config, "--network host"));
  EXPECT_TRUE(check_project(config, "alice", "shop"));
}

TEST(PolicyChecks, RequirePrivateRefusesEveryWayToTheHost) {
  const Config config = parsed("[policy]\nrequire-private = true");
  EXPECT_EQ(userns(config, "host"),
            "--userns host is refused by the policy: require-private = true (/etc/berth/berth.toml:2)");
  EXPECT_EQ(userns(config, "ns:/proc/1/ns/user"),
            "--userns ns:/proc/1/ns/user is refused by the policy: require-private = true "
            "(/etc/berth/berth.toml:2)");
  for (const char* mode : {"private", "keep-id", "container:web", "auto"}) {
    EXPECT_EQ(userns(config, mode), "allowed");
  }
  EXPECT_EQ(answer(check_host_namespace(config, "--network host")),
            "--network host is refused by the policy: require-private = true (/etc/berth/berth.toml:2)");
  EXPECT_THAT(check_userns(config, idmap::UsernsHost{}).error().hint, HasSubstr("No flag overrides"));
}

TEST(PolicyChecks, RangesOutsideTheAllowedOnesAreNamed) {
  const Config config = parsed("[policy]\nallowed-ranges = [\"1000-1999\", \"3000-3999\"]");
  const std::vector<idmap::IdRange> inside{{1000, 2000}, {3500, 3501}};
  EXPECT_TRUE(check_ranges(config, inside, "--uidmap x"));
  const std::vector<idmap::IdRange> across{{1000, 1001}, {1990, 3010}};
  EXPECT_EQ(answer(check_ranges(config, across, "--uidmap 0:1990:1020")),
            "--uidmap 0:1990:1020 with the host's IDs 2000-2999 is refused by the policy: allowed-ranges are "
            "1000-1999, 3000-3999 (/etc/berth/berth.toml:2)");
  EXPECT_EQ(allowed_ranges_text(config), "allowed-ranges are 1000-1999, 3000-3999 (/etc/berth/berth.toml:2)");
  EXPECT_EQ(allowed_ranges_text(Config{}), "");
  EXPECT_THAT(answer(check_ranges(parsed("[policy]\nallowed-ranges = []"), across, "x")),
              HasSubstr("allowed-ranges are none"));
}

TEST(PolicyChecks, SharedIdsCanBeForbidden) {
  EXPECT_EQ(
      answer(check_shared_ids(parsed("[policy]\nallow-shared-ids = false"))),
      "--allow-shared-ids is refused by the policy: allow-shared-ids = false (/etc/berth/berth.toml:2)");
}

TEST(PolicyChecks, ProjectsOfAUser) {
  const Config config = parsed(
      "[policy]\nallowed-projects = [\"shop\"]\n[users.alice]\nallowed-projects = [\"blog\"]\n"
      "[users.root]\nallowed-projects = [\"*\"]\n[users.nobody]\nallowed-projects = []");
  EXPECT_TRUE(check_project(config, "bob", "shop"));
  EXPECT_TRUE(check_project(config, "alice", "blog"));
  EXPECT_TRUE(check_project(config, "root", "anything"));
  EXPECT_EQ(answer(check_project(config, "bob", "blog")),
            "the project \"blog\" for the user bob is refused by the policy: allowed-projects are shop "
            "(/etc/berth/berth.toml:2)");
  EXPECT_EQ(
      answer(check_project(config, "alice", "shop")),
      "the project \"shop\" for the user alice is refused by the policy: the allowed-projects of alice are "
      "blog (/etc/berth/berth.toml:4)");
  EXPECT_THAT(answer(check_project(config, "nobody", "shop")), HasSubstr("of nobody are none"));
}

TEST(PolicyChecks, ProjectPolicies) {
  const Config config = parsed(
      "[policy]\nallowed-project-policies = [\"restricted\", \"web\"]\nproject-banks = 3\n"
      "[project-policy.web]\nbase = \"nonroot\"\ncapabilities = [\"NET_RAW\"]\nbanks = 5");
  EXPECT_EQ(find_project_policy(config, "restricted")->base.value, PolicyBase::restricted);
  const ProjectPolicy web = find_project_policy(config, "web").value();
  EXPECT_EQ(web.base.value, PolicyBase::nonroot);
  EXPECT_EQ(
      find_project_policy(config, "anyuid").error().message,
      "the project policy \"anyuid\" is refused by the policy: allowed-project-policies are restricted, web "
      "(/etc/berth/berth.toml:2)");
  EXPECT_EQ(find_project_policy(config, "wbe").error().message, "there is no project policy \"wbe\"");
  EXPECT_EQ(find_project_policy(config, "wbe").error().hint, "Did you mean web?");
  EXPECT_EQ(find_project_policy(config, "wbe").error().code, Code::not_found);

  EXPECT_TRUE(check_project_banks(config, web, 5));
  EXPECT_EQ(answer(check_project_banks(config, web, 6)),
            "a project with 6 banks is refused by the policy: banks = 5 (/etc/berth/berth.toml:7)");
  EXPECT_EQ(answer(check_project_banks(config, ProjectPolicy{}, 4)),
            "a project with 4 banks is refused by the policy: project-banks = 3 (/etc/berth/berth.toml:3)");

  EXPECT_TRUE(check_capability(web, "web", "CAP_NET_RAW"));
  EXPECT_EQ(answer(check_capability(web, "web", "ALL")),
            "--cap-add ALL is refused by the policy: the project policy web allows CAP_NET_RAW "
            "(/etc/berth/berth.toml:6)");
  EXPECT_EQ(
      answer(check_capability(ProjectPolicy{}, "restricted", "CAP_NET_RAW")),
      "--cap-add CAP_NET_RAW is refused by the policy: the project policy restricted allows none (built in)");
}

TEST(PolicyChecks, WhatAContainerMayUse) {
  const ResourceAmounts most =
      parsed("[policy]\nmax-memory = \"1g\"\nmax-cpus = \"1.5\"\nmax-pids = 100").policy.most;
  constexpr uint64_t kGiB = uint64_t{1} << 30;
  EXPECT_TRUE(check_amounts(most, {.memory = kGiB, .nano_cpus = 1'500'000'000, .pids = 100}));
  EXPECT_EQ(answer(check_amounts(most, {.memory = kGiB + 1, .nano_cpus = 1, .pids = 1})),
            "--memory 1073741825 is refused by the policy: max-memory = 1g (/etc/berth/berth.toml:2)");
  EXPECT_EQ(answer(check_amounts(most, {.memory = 1, .nano_cpus = 2'000'000'000, .pids = 1})),
            "--cpus 2 is refused by the policy: max-cpus = 1.5 (/etc/berth/berth.toml:3)");
  EXPECT_EQ(answer(check_amounts(most, {.memory = 1, .nano_cpus = 1})),
            "a container without a limit by --pids-limit is refused by the policy: max-pids = 100 "
            "(/etc/berth/berth.toml:4)");
  EXPECT_THAT(answer(check_unlimited(most, "--cgroups=disabled")), HasSubstr("max-memory = 1g"));
  EXPECT_THAT(answer(check_cgroup_file(most, "cpu.max")), HasSubstr("--cgroup-conf cpu.max is refused"));
  EXPECT_TRUE(check_cgroup_file(most, "memory.high"));
  EXPECT_TRUE(check_amounts({}, {}));
  EXPECT_TRUE(check_unlimited({}, "--cgroups=disabled"));
}

}  // namespace
}  // namespace berth::config
