#include "config/show.h"

#include <functional>
#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/parse.h"

namespace berth::config {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Show, TomlSaysWhereEachValueComesFrom) {
  const Config config = parse(
                            "[policy]\nrequire-private = true\nallowed-ranges = [\"5\", \"10-20\"]\n"
                            "bank-rest = \"90m\"\n[users.\"E\\\\bob\"]\nallowed-projects = [\"a\"]\n"
                            "[project-policy.web]\ncapabilities = [\"NET_RAW\"]\n"
                            "max-memory = \"524288k\"\nmax-cpus = \"1.50\"\nmax-pids = 100",
                            "/etc/berth/berth.toml")
                            .value();
  EXPECT_EQ(show_toml(config), R"([policy]
require-private = true                 # /etc/berth/berth.toml:2
allow-shared-ids = true                # built in
allow-open-directories = true          # built in
allowed-ranges = ["5","10-20"]         # /etc/berth/berth.toml:3
# allowed-projects is not set          # built in
# allowed-project-policies is not set  # built in
project-banks = 8                      # built in
bank-rest = "90m"                      # /etc/berth/berth.toml:4
shared-networks = []                   # built in
# max-memory is not set                # built in
# max-cpus is not set                  # built in
# max-pids is not set                  # built in

[users."E\\bob"]
allowed-projects = ["a"]  # /etc/berth/berth.toml:6

[project-policy.web]
base = "restricted"             # built in
capabilities = ["CAP_NET_RAW"]  # /etc/berth/berth.toml:8
drop-capabilities = []          # built in
read-only = false               # built in
no-new-privileges = false       # built in
# banks is not set              # built in
max-memory = "512m"             # /etc/berth/berth.toml:9
max-cpus = "1.5"                # /etc/berth/berth.toml:10
max-pids = 100                  # /etc/berth/berth.toml:11

[defaults]
userns = "private"                                            # built in
init = true                                                   # built in
project-policy = "restricted"                                 # built in
network = "bridge"                                            # built in
bridge-subnet = "10.86.0.0/16"                                # built in
subnet-pools = ["10.80.0.0/14","10.72.0.0/13","172.28.0.0/14","192.168.192.0/18"]  # built in
cgroup-manager = "auto"                                       # built in
slice = "machine.slice"                                       # built in
# memory is not set                                           # built in
# cpus is not set                                             # built in
# pids-limit is not set                                       # built in
)");
}

// The values alone.
nlohmann::json values_of(const Config& config) {
  auto json = nlohmann::json::parse(show_json(config));
  const std::function<void(nlohmann::json&)> strip = [&](nlohmann::json& node) {
    node.erase("from");
    for (auto& member : node) {
      if (member.is_object()) strip(member);
    }
  };
  strip(json);
  return json;
}

TEST(Show, WhatIsShownIsReadAgain) {
  const auto config = parse(
      "[policy]\nallowed-ranges = [\"7\", \"9-4294967294\"]\nallowed-projects = [\"*\"]\n"
      "bank-rest = \"3601s\"\n"
      "[users.\"a\\\"\\\\é\\u2028\"]\nallowed-projects = []\n"
      "[project-policy.\"w.e-b\"]\nbase = \"anyuid\"\nbanks = 5\n"
      "[defaults]\nuserns = \"keep-id:uid=5\"",
      "f");
  ASSERT_TRUE(config) << config.error().message;
  const auto again = parse(show_toml(*config), "g");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(values_of(*again), values_of(*config));
  EXPECT_EQ(again->policy.user_projects.begin()->first, "a\"\\é\u2028");
}

TEST(Show, AFileNameCantAddLines) {
  const Config config = parse("[defaults]\ninit = false", "a\n[policy]\nrequire-private = false #").value();
  EXPECT_THAT(show_toml(config), HasSubstr("a\\x0a[policy]"));
  EXPECT_TRUE(parse(show_toml(config), "f"));
}

TEST(Show, JsonForScripts) {
  const Config config =
      parse("[policy]\nrequire-private = true\n[project-policy.web]\nbase = \"anyuid\"", "f.toml").value();
  const auto json = nlohmann::json::parse(show_json(config));
  EXPECT_EQ(json["policy"]["require-private"]["value"], true);
  EXPECT_EQ(json["policy"]["require-private"]["from"], "f.toml:2");
  EXPECT_TRUE(json["policy"]["allowed-ranges"]["value"].is_null());
  EXPECT_EQ(json["policy"]["bank-rest"]["value"], "1h");
  EXPECT_EQ(json["project-policy"]["web"]["base"]["value"], "anyuid");
  EXPECT_EQ(json["defaults"]["userns"]["from"], "built in");
  EXPECT_THAT(show_json(config), Not(HasSubstr("users")));
}

}  // namespace
}  // namespace berth::config
