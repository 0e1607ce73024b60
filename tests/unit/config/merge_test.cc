#include "config/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/parse.h"

namespace berth::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Config parsed(std::string_view text, const std::string& file) {
  auto config = parse(text, file);
  EXPECT_TRUE(config) << config.error().message;
  return config ? std::move(config).value() : Config{};
}
Result<Config> merged(std::string_view first, std::string_view second) {
  return merge(parsed(first, "1.toml"), parsed(second, "2.toml"));
}

TEST(Merge, DefaultsMayBeAnything) {
  const Config config = merged("[defaults]\nuserns = \"private\"\ninit = true",
                               "[defaults]\nuserns = \"host\"\ninit = false\nproject-policy = \"anyuid\"")
                            .value();
  EXPECT_EQ(idmap::userns_text(config.defaults.userns.value), "host");
  EXPECT_EQ(config.defaults.userns.origin.text(), "2.toml:2");
  EXPECT_FALSE(config.defaults.init.value);
  EXPECT_EQ(config.defaults.project_policy.value, "anyuid");
}

TEST(Merge, WhatTheSecondDoesNotSetStays) {
  const Config first = parsed(
      "[policy]\nrequire-private = true\n[users.a]\nallowed-projects = [\"x\"]\n"
      "[project-policy.web]\nbase = \"nonroot\"\n[defaults]\ninit = false",
      "1.toml");
  EXPECT_EQ(merge(first, Config{}).value(), first);
}

TEST(Merge, ThePolicyCanBeTightened) {
  const Config config =
      merged(
          "[policy]\nallowed-ranges = [\"1000-1999\", \"3000-3999\"]\n"
          "allowed-projects = [\"a\", \"b\"]\nproject-banks = 8\nbank-rest = \"2h\"\n"
          "[users.alice]\nallowed-projects = [\"*\"]\n",
          "[policy]\nrequire-private = true\nallow-shared-ids = false\nallow-open-directories = false\n"
          "allowed-ranges = [\"1500-1600\", \"3999\"]\nallowed-projects = [\"b\"]\n"
          "project-banks = 2\nbank-rest = \"1d\"\nallowed-project-policies = [\"restricted\"]\n"
          "[users.alice]\nallowed-projects = [\"c\"]\n[users.bob]\nallowed-projects = [\"a\"]")
          .value();
  EXPECT_TRUE(config.policy.require_private.value);
  EXPECT_EQ(config.policy.require_private.origin.text(), "2.toml:2");
  EXPECT_FALSE(config.policy.allow_shared_ids.value);
  EXPECT_FALSE(config.policy.allow_open_directories.value);
  EXPECT_EQ(config.policy.allowed_ranges.value, (std::vector<idmap::IdRange>{{1500, 1601}, {3999, 4000}}));
  EXPECT_THAT(config.policy.allowed_projects.value.value(), ElementsAre("b"));
  EXPECT_EQ(config.policy.project_banks.value, 2U);
  EXPECT_EQ(config.policy.bank_rest.value, std::chrono::hours(24));
  EXPECT_THAT(config.policy.user_projects.at("alice").value, ElementsAre("c"));
  EXPECT_THAT(config.policy.user_projects.at("bob").value, ElementsAre("a"))
      << "bob was bound by the general rule of the first file, not the second";
}

TEST(Merge, TheSameAgainIsNoLoosening) {
  const char* text =
      "[policy]\nrequire-private = true\nallow-shared-ids = false\nallowed-ranges = [\"1-2\"]\n"
      "allowed-projects = [\"a\"]\nproject-banks = 4\nbank-rest = \"2h\"\nallowed-project-policies = "
      "[\"anyuid\"]\n"
      "[users.a]\nallowed-projects = []\n[project-policy.web]\nbase = \"anyuid\"\ncapabilities = [\"ALL\"]\n"
      "drop-capabilities = [\"NET_RAW\"]\nread-only = true\nno-new-privileges = true\nbanks = 400";
  EXPECT_TRUE(merged(text, text));
}

struct Bad {
  const char* first;
  const char* second;
  const char* message;
};

TEST(Merge, WhatWouldLoosenIsRefusedAndNamesBothPlaces) {
  const std::vector<Bad> table{
      {"[policy]\nrequire-private = true", "[policy]\n\nrequire-private = false",
       "2.toml:3: policy.require-private would loosen the policy: it is true (1.toml:2)"},
      {"[policy]\nallow-shared-ids = false", "[policy]\nallow-shared-ids = true",
       "2.toml:2: policy.allow-shared-ids would loosen the policy: it is false (1.toml:2)"},
      {"[policy]\nallow-open-directories = false", "[policy]\nallow-open-directories = true",
       "2.toml:2: policy.allow-open-directories would loosen the policy: it is false (1.toml:2)"},
      {"[policy]\nmax-memory = \"1g\"", "[policy]\nmax-memory = \"1025m\"",
       "2.toml:2: policy.max-memory would loosen the policy: it is 1g (1.toml:2)"},
      {"[project-policy.a]\nmax-cpus = \"1.5\"", "[project-policy.a]\nmax-cpus = \"2\"",
       "2.toml:2: project-policy.a.max-cpus would loosen the policy: it is 1.5 (1.toml:2)"},
      {"[policy]\nallowed-ranges = [\"1000-1999\"]", "[policy]\nallowed-ranges = [\"1500-2500\"]",
       "2.toml:2: policy.allowed-ranges would loosen the policy: 2000-2500 is not allowed (1.toml:2)"},
      {"[policy]\nallowed-ranges = []", "[policy]\nallowed-ranges = [\"0\"]",
       "2.toml:2: policy.allowed-ranges would loosen the policy: 0-0 is not allowed (1.toml:2)"},
      {"[policy]\nallowed-projects = [\"a\"]", "[policy]\nallowed-projects = [\"a\", \"b\"]",
       "2.toml:2: policy.allowed-projects would loosen the policy: \"b\" is not allowed (1.toml:2)"},
      {"[policy]\nallowed-projects = [\"a\"]", "[policy]\nallowed-projects = [\"*\"]",
       "2.toml:2: policy.allowed-projects would loosen the policy: \"*\" is not allowed (1.toml:2)"},
      {"[policy]\nallowed-project-policies = [\"restricted\"]",
       "[policy]\nallowed-project-policies = [\"anyuid\"]",
       "2.toml:2: policy.allowed-project-policies would loosen the policy: \"anyuid\" is not allowed "
       "(1.toml:2)"},
      {"", "[policy]\nproject-banks = 9",
       "2.toml:2: policy.project-banks would loosen the policy: it is 8 (built in)"},
      {"[policy]\nshared-networks = [\"a\"]", "[policy]\nshared-networks = [\"a\", \"b\"]",
       "2.toml:2: policy.shared-networks would loosen the policy: \"b\" is not among them (1.toml:2)"},
      {"[policy]\nbank-rest = \"2h\"", "[policy]\nbank-rest = \"1h\"",
       "2.toml:2: policy.bank-rest would loosen the policy: it is 7200 s (1.toml:2)"},
      {"[users.alice]\nallowed-projects = [\"a\"]", "[users.alice]\nallowed-projects = [\"b\"]",
       "2.toml:2: users.alice.allowed-projects would loosen the policy: \"b\" is not allowed (1.toml:2)"},
      {"[policy]\nallowed-projects = [\"a\"]", "[users.alice]\nallowed-projects = [\"b\"]",
       "2.toml:2: users.alice.allowed-projects would loosen the policy: \"b\" is not allowed (1.toml:2)"},
      {"[project-policy.web]", "[project-policy.web]\nbase = \"nonroot\"",
       "2.toml:2: project-policy.web.base would loosen the policy: it is restricted (1.toml:1)"},
      {"[project-policy.web]\ncapabilities = [\"NET_RAW\"]",
       "[project-policy.web]\ncapabilities = [\"NET_RAW\", \"SYS_ADMIN\"]",
       "2.toml:2: project-policy.web.capabilities would loosen the policy: CAP_SYS_ADMIN is not among its "
       "capabilities (1.toml:2)"},
      {"[project-policy.web]\ncapabilities = [\"NET_RAW\"]", "[project-policy.web]\ncapabilities = [\"ALL\"]",
       "2.toml:2: project-policy.web.capabilities would loosen the policy: ALL is not among its capabilities "
       "(1.toml:2)"},
      {"", "[project-policy.web]\ncapabilities = [\"NET_RAW\"]",
       "2.toml:2: project-policy.web.capabilities would loosen the policy: CAP_NET_RAW is not among its "
       "capabilities (2.toml:1)"},
      {"[project-policy.web]\ndrop-capabilities = [\"ALL\"]",
       "[project-policy.web]\ndrop-capabilities = [\"NET_RAW\"]",
       "2.toml:2: project-policy.web.drop-capabilities would loosen the policy: ALL is dropped (1.toml:2)"},
      {"[project-policy.web]\nread-only = true", "[project-policy.web]\nread-only = false",
       "2.toml:2: project-policy.web.read-only would loosen the policy: it is true (1.toml:2)"},
      {"[project-policy.web]\nno-new-privileges = true", "[project-policy.web]\nno-new-privileges = false",
       "2.toml:2: project-policy.web.no-new-privileges would loosen the policy: it is true (1.toml:2)"},
      {"[project-policy.web]\nbanks = 2", "[project-policy.web]\nbanks = 3",
       "2.toml:2: project-policy.web.banks would loosen the policy: at most 2 are allowed (1.toml:2)"},
      {"", "[project-policy.web]\nbanks = 9",
       "2.toml:2: project-policy.web.banks would loosen the policy: at most 8 are allowed (built in)"},
  };
  for (const Bad& bad : table) {
    const auto config = merged(bad.first, bad.second);
    ASSERT_FALSE(config) << bad.second;
    EXPECT_EQ(config.error().message, bad.message);
    EXPECT_THAT(config.error().hint, HasSubstr("BERTH_CONFIG"));
  }
}

TEST(Merge, AProjectPolicyIsTightenedKeyByKey) {
  const Config config =
      merged("[project-policy.web]\nbase = \"anyuid\"\ncapabilities = [\"NET_RAW\", \"SYS_TIME\"]\nbanks = 6",
             "[project-policy.web]\nbase = \"nonroot\"\ncapabilities = [\"SYS_TIME\"]\nread-only = true\n"
             "drop-capabilities = [\"CHOWN\"]\n[project-policy.mine]\nbase = \"anyuid\"\nbanks = 8")
          .value();
  const ProjectPolicy& web = config.project_policies.at("web");
  EXPECT_EQ(web.base.value, PolicyBase::nonroot);
  EXPECT_THAT(web.capabilities.value, ElementsAre("CAP_SYS_TIME"));
  EXPECT_EQ(web.capabilities.origin.text(), "2.toml:3");
  EXPECT_TRUE(web.read_only.value);
  EXPECT_THAT(web.drop_capabilities.value, ElementsAre("CAP_CHOWN"));
  EXPECT_EQ(web.banks.value, 6U);
  EXPECT_EQ(web.banks.origin.text(), "1.toml:4");
  EXPECT_EQ(config.project_policies.at("mine").base.value, PolicyBase::anyuid);
}

}  // namespace
}  // namespace berth::config
