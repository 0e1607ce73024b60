#include "config/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kEverything = R"(# what the tests read
[policy]
require-private = true
allow-shared-ids = false
allowed-ranges = ["524288-589823", "600000", "589824-599999"]
allowed-projects = ["shop", "blog", "shop"]
allowed-project-policies = [
  "restricted",
  "web",
]
project-banks = 4
bank-rest = "1h30m"
allow-open-directories = false
[users.alice]
allowed-projects = ["*"]
[users."EXAMPLE\\bob"]
allowed-projects = []

[project-policy.web]
base = "nonroot"
capabilities = ["net_bind_service"]
drop-capabilities = ["all"]
read-only = true
no-new-privileges = true
banks = 2

[defaults]
userns = "auto:size=70000"
init = false
project-policy = "web"
network = "bridge"
bridge-subnet = "10.99.0.0/16"
subnet-pools = ["10.100.0.0/16", "192.168.0.0/17"]
cgroup-manager = "systemd"
slice = "web-shop.slice"
memory = "256m"
cpus = "0.5"
pids-limit = 99
)";

Config parsed(std::string_view text) {
  auto config = parse(text, "f.toml");
  EXPECT_TRUE(config) << config.error().message;
  return config ? std::move(config).value() : Config{};
}

TEST(Parse, EveryKey) {
  const Config config = parsed(kEverything);
  const Policy& policy = config.policy;
  EXPECT_TRUE(policy.require_private.value);
  EXPECT_FALSE(policy.allow_shared_ids.value);
  EXPECT_FALSE(policy.allow_open_directories.value);
  EXPECT_EQ(policy.allowed_ranges.value, (std::vector<idmap::IdRange>{{524288, 600001}})) << "joined";
  EXPECT_THAT(policy.allowed_projects.value.value(), ElementsAre("blog", "shop"));
  EXPECT_THAT(policy.allowed_project_policies.value.value(), ElementsAre("restricted", "web"));
  EXPECT_EQ(policy.project_banks.value, 4U);
  EXPECT_EQ(policy.bank_rest.value, std::chrono::minutes(90));
  EXPECT_THAT(policy.user_projects.at("alice").value, ElementsAre("*"));
  EXPECT_TRUE(policy.user_projects.at("EXAMPLE\\bob").value.empty());
  const ProjectPolicy& web = config.project_policies.at("web");
  EXPECT_EQ(web.base.value, PolicyBase::nonroot);
  EXPECT_THAT(web.capabilities.value, ElementsAre("CAP_NET_BIND_SERVICE"));
  EXPECT_THAT(web.drop_capabilities.value, ElementsAre("ALL"));
  EXPECT_TRUE(web.read_only.value && web.no_new_privileges.value);
  EXPECT_EQ(web.banks.value, 2U);
  EXPECT_EQ(idmap::userns_text(config.defaults.userns.value), "auto:size=70000");
  EXPECT_FALSE(config.defaults.init.value);
  EXPECT_EQ(config.defaults.project_policy.value, "web");
  EXPECT_EQ(config.defaults.network.value, "bridge");
  EXPECT_EQ(config.defaults.bridge_subnet.value.text(), "10.99.0.0/16");
  ASSERT_EQ(config.defaults.subnet_pools.value.size(), 2U);
  EXPECT_EQ(config.defaults.subnet_pools.value[1].text(), "192.168.0.0/17");
  EXPECT_EQ(config.defaults.cgroup_manager.value, "systemd");
  EXPECT_EQ(config.defaults.slice.value, "web-shop.slice");
  EXPECT_EQ(config.defaults.resources.memory.value, uint64_t{256} << 20);
  EXPECT_EQ(config.defaults.resources.nano_cpus.value, 500'000'000U);
  EXPECT_EQ(config.defaults.resources.pids.value, 99U);
  EXPECT_TRUE(check_names(config));
}

TEST(Parse, EveryValueKnowsItsLine) {
  const Config config = parsed(kEverything);
  EXPECT_EQ(config.policy.require_private.origin.text(), "f.toml:3");
  EXPECT_EQ(config.policy.allowed_project_policies.origin.text(), "f.toml:7") << "where the list begins";
  EXPECT_EQ(config.policy.bank_rest.origin.text(), "f.toml:12");
  EXPECT_EQ(config.policy.user_projects.at("alice").origin.text(), "f.toml:15");
  EXPECT_EQ(config.project_policies.at("web").origin.text(), "f.toml:19");
  EXPECT_EQ(config.project_policies.at("web").banks.origin.text(), "f.toml:25");
  EXPECT_EQ(config.defaults.userns.origin.text(), "f.toml:28");
}

TEST(Parse, NothingIsWhatIsBuiltIn) {
  for (const char* text : {"", "\n# a comment\n", "[policy]\n[users]\n[defaults]\n[project-policy]\n"}) {
    EXPECT_EQ(parsed(text), Config{}) << text;
  }
  const Config config;
  EXPECT_EQ(config.policy.require_private.origin.text(), "built in");
  EXPECT_FALSE(config.policy.require_private.value);
  EXPECT_EQ(idmap::userns_text(config.defaults.userns.value), "private");
  EXPECT_TRUE(check_names(config));
}

struct Bad {
  const char* text;
  const char* message;
};

TEST(Parse, EveryRefusalHasItsMessageAndItsPlace) {
  const std::vector<Bad> table{
      {"[policy]\nrequire-privat = true",
       "f.toml:2: policy.require-privat is not a key of berth's configuration"},
      {"[polcy]", "f.toml:1: polcy is not a key of berth's configuration"},
      {"\n\npolicy = 1", "f.toml:3: policy must be a table, and is a number"},
      {"[policy]\nrequire-private = \"yes\"",
       "f.toml:2: policy.require-private must be true or false, and is a string"},
      {"[policy]\nrequire-private = 1.5",
       "f.toml:2: policy.require-private must be true or false, and is a fraction or a date"},
      {"[policy]\nallowed-ranges = \"1-2\"",
       "f.toml:2: policy.allowed-ranges must be a list, and is a string"},
      {"[policy]\nallowed-ranges = [\n\"1-2\",\n5]",
       "f.toml:4: policy.allowed-ranges must be a list of strings, and has a number"},
      {"[policy]\nallowed-ranges = [\n\"1-2\",\n\"9-5\"]",
       "f.toml:4: policy.allowed-ranges has \"9-5\", which is not a range of IDs such as 524288-1879048191, "
       "up to "
       "4294967294"},
      {"[policy]\nallowed-projects = [\"-x\"]",
       "f.toml:2: policy.allowed-projects has \"-x\", which is not a name"},
      {"[policy]\nallowed-project-policies = [\"*\"]",
       "f.toml:2: policy.allowed-project-policies has \"*\", which is not a name"},
      {"[policy]\nproject-banks = 1", "f.toml:2: policy.project-banks must be from 2 to 28664, and is 1"},
      {"[policy]\nproject-banks = 9223372036854775807",
       "f.toml:2: policy.project-banks must be from 2 to 28664, and is 9223372036854775807"},
      {"[policy]\nbank-rest = \"soon\"",
       "f.toml:2: policy.bank-rest is \"soon\", which is not a time such as 90m, 12h or 7d"},
      {"[policy]\nbank-rest = \"90\"",
       "f.toml:2: policy.bank-rest is \"90\", which is not a time such as 90m, 12h or 7d"},
      {"[policy]\nbank-rest = \"59m59s\"",
       "f.toml:2: policy.bank-rest must be from 1h to 366d, and is 59m59s"},
      {"[policy]\nbank-rest = \"367d\"", "f.toml:2: policy.bank-rest must be from 1h to 366d, and is 367d"},
      {"[users]\nalice = 5", "f.toml:2: users.alice must be a table, and is a number"},
      {"[users.alice]",
       "f.toml:1: users.alice.allowed-projects is missing: the table says nothing without it"},
      {"[users.\"a:b\"]\nallowed-projects=[]", "f.toml:1: users has \"a:b\", which can't be a user's name"},
      {"[users.alice]\nprojects = []",
       "f.toml:2: users.alice.projects is not a key of berth's configuration"},
      {"[project-policy.\"a b\"]", "f.toml:1: project-policy has \"a b\", which can't be a policy's name"},
      {"[project-policy.anyuid]",
       "f.toml:1: project-policy has \"anyuid\", which is built in and can't be changed"},
      {"[project-policy.web]\nbase = \"root\"",
       "f.toml:2: project-policy.web.base must be restricted, nonroot or anyuid, and is \"root\""},
      {"[project-policy.web]\ncapabilities = [\"NET BIND\"]",
       "f.toml:2: project-policy.web.capabilities has \"NET BIND\", which is not a capability such as "
       "NET_BIND_SERVICE, or ALL"},
      {"[defaults]\nuserns = \"hots\"",
       "f.toml:2: defaults.userns can't be: --userns hots: there is no such mode"},
      {"[defaults]\nnetwork = \"web\"",
       "f.toml:2: defaults.network must be bridge, none or host, and is \"web\""},
      {"[defaults]\nbridge-subnet = \"10.86.0.0/31\"",
       "f.toml:2: defaults.bridge-subnet is \"10.86.0.0/31\", which is not a subnet of IPv4 such as "
       "10.86.0.0/16, up to /30"},
      {"[defaults]\nsubnet-pools = [\"10.0.0.0/8\", \"fd00::/8\"]",
       "f.toml:2: defaults.subnet-pools has \"fd00::/8\", which is not a subnet of IPv4 such as "
       "10.80.0.0/14, "
       "up to /24"},
      {"[defaults]\ncgroup-manager = \"cgroups\"",
       "f.toml:2: defaults.cgroup-manager must be auto, systemd or cgroupfs, and is \"cgroups\""},
      {"[policy]\nmax-memory = \"much\"",
       "f.toml:2: policy.max-memory is \"much\", which is not a size such as 512m, from 4m on"},
      {"[policy]\nmax-cpus = \"0\"",
       "f.toml:2: policy.max-cpus is \"0\", which is not a number of processors such as 1.5, from 0.01 on"},
      {"[defaults]\nslice = \"a/b.slice\"",
       "f.toml:2: defaults.slice is \"a/b.slice\", which is not a slice of systemd such as machine.slice"},
      {"[defaults]\nuserns = \"container:web\"",
       "f.toml:2: defaults.userns is \"container:web\": one namespace can't be the default of all "
       "containers"},
  };
  for (const Bad& bad : table) {
    const auto config = parse(bad.text, "f.toml");
    ASSERT_FALSE(config) << bad.text;
    EXPECT_EQ(config.error().message, bad.message);
    EXPECT_EQ(config.error().code, Code::refused);
  }
}

TEST(Parse, TheNearestKeyIsNamed) {
  EXPECT_EQ(parse("[policy]\nrequire-privat = true", "f").error().hint, "Did you mean require-private?");
  EXPECT_EQ(parse("[project-policies.x]", "f").error().hint, "Did you mean project-policy?");
  EXPECT_EQ(parse("[zzz]", "f").error().hint, "What there is: policy, users, project-policy, defaults.");
  EXPECT_EQ(parse("[defaults]\nuserns = \"hots\"", "f").error().hint, "Did you mean host?");
}

TEST(Parse, WhatIsNotTomlIsToldWithItsLine) {
  for (const char* text : {"[policy]\n\nrequire-private = tru", "\n\n[policy", "a\n\n= 5"}) {
    const auto config = parse(text, "f.toml");
    ASSERT_FALSE(config) << text;
    EXPECT_THAT(config.error().message, HasSubstr("this is not TOML: "));
    EXPECT_THAT(config.error().message, StartsWith("f.toml:"));
  }
  EXPECT_THAT(parse("[policy]\n\nrequire-private = tru", "f").error().message, StartsWith("f:3: "));
  EXPECT_FALSE(parse("[policy]\nrequire-private = true\nrequire-private = false", "f")) << "twice";
}

// The library has assertions that these break; they must not end the program, nor be assumed to hold.
TEST(Parse, MalformedHeadersAreRefused) {
  for (const char* text : {"[,", "[,user\\b\"]\na=1", "[[,", "[.]", "[\"", "[a.,]"}) {
    EXPECT_FALSE(parse(text, "f")) << text;
  }
}

TEST(Parse, WhatTheLibraryMustNotSee) {
  const std::vector<Bad> table{
      {"a.\u025e = 1", "f.toml:1: letters beyond ASCII belong into strings and comments"},
      {"[policy]\n# \x01", "f.toml:2: there is a control character, 0x01"},
      {"a = 1\rb = 2", "f.toml:1: there is a control character, 0x0d"},
      {"# \xff", "f.toml:1: this is not UTF-8"},
      {"# \xc1\x81", "f.toml:1: this is not UTF-8"},
      {"# \xe0\x80\xaf", "f.toml:1: this is not UTF-8"},
      {"# \xed\xa0\x80", "f.toml:1: this is not UTF-8"},
      {"# \xf4\x90\x80\x80", "f.toml:1: this is not UTF-8"},
      {"a = \"\xf0\x9f\x98\"", "f.toml:1: this is not UTF-8"},
      {"a = '\u00e9'", "f.toml:1: letters beyond ASCII need a string in double quotes"},
      {"a = \"\"\"\nb\"\"\"", "f.toml:1: a string goes over one line only"},
      {"a = '''b'''", "f.toml:1: a string goes over one line only"},
      {"a = \"b", "f.toml:1: a string has no end"},
      {"a = \"b\\\"", "f.toml:1: a string has no end"},
      {"a = \"b\\\n\"", "f.toml:1: a string has no end"},
      {"a = \"\\\u00e9\"", "f.toml:1: a backslash escapes no such letter"},
      {"a = \"b\nc\"", "f.toml:1: a string has no end"},
  };
  for (const Bad& bad : table) EXPECT_EQ(parse(bad.text, "f.toml").error().message, bad.message);
  for (const char* text :
       {"# caf\u00e9 \"\n[policy]\r\n", "[users.\"\u00e9\"]\nallowed-projects = []",
        "[users.'\\']\nallowed-projects = []", "[users.\"\\\\\"]\nallowed-projects = []"}) {
    EXPECT_TRUE(parse(text, "f")) << text;
  }
}

TEST(Parse, LettersBeyondAsciiStayThemselves) {
  for (const char* name : {"\u00e9", "\u2028", "\u65e5\u672c", "\U0001f600"}) {
    const Config config = parsed(fmt::format("# {0}\n[users.\"{0}\"]\nallowed-projects = []", name));
    EXPECT_EQ(config.policy.user_projects.begin()->first, name);
  }
}

// Deeply nested input must not use up the stack, neither in the parser nor when its tree is destroyed.
TEST(Parse, NestingIsBounded) {
  const std::string dots = [] {
    std::string text = "a";
    for (int i = 0; i < 30000; ++i) text += ".a";
    return text;
  }();
  EXPECT_EQ(parse(dots + " = 1", "f").error().message, "f:1: the line has more than 64 dots");
  EXPECT_EQ(parse("x=1\n[" + dots + "]", "f").error().message, "f:2: the line has more than 64 dots");
  EXPECT_FALSE(parse("a = " + std::string(30000, '['), "f"));
  std::string tables;
  for (int i = 0; i < 15000; ++i) tables += "{a=";
  EXPECT_FALSE(parse("a = " + tables, "f"));
  EXPECT_EQ(parse(std::string((64 << 10) + 1, '\n'), "f").error().message,
            "f: it has 65537 bytes, and at most 65536 are read");
}

std::string name_problem(std::string_view text) {
  const auto checked = check_names(parsed(text));
  return checked ? "fine" : checked.error().message;
}

TEST(CheckNames, PoliciesThatAreNamedExist) {
  EXPECT_EQ(name_problem("[defaults]\nproject-policy = \"anyuid\""), "fine");
  EXPECT_EQ(name_problem("[defaults]\nproject-policy = \"web\"\n[project-policy.web]"), "fine");
  EXPECT_EQ(name_problem("[defaults]\nproject-policy = \"web\""),
            "f.toml:2: defaults.project-policy names the project policy \"web\", which there is not");
  EXPECT_EQ(
      name_problem("[policy]\nallowed-project-policies = [\"restricted\", \"nonrot\"]"),
      "f.toml:2: policy.allowed-project-policies names the project policy \"nonrot\", which there is not");
}

TEST(CheckNames, DefaultsObeyThePolicy) {
  EXPECT_EQ(name_problem("[policy]\nallowed-project-policies = [\"nonroot\"]"),
            "defaults.project-policy is \"restricted\" (built in), which policy.allowed-project-policies "
            "(f.toml:2) does not allow");
  EXPECT_EQ(name_problem("[policy]\nrequire-private = true\n[defaults]\nuserns = \"host\""),
            "defaults.userns is \"host\" (f.toml:4), which policy.require-private (f.toml:2) refuses");
  EXPECT_EQ(name_problem("[policy]\nrequire-private = true\n[defaults]\nnetwork = \"host\""),
            "defaults.network is \"host\" (f.toml:4), which policy.require-private (f.toml:2) refuses");
  EXPECT_EQ(name_problem("[defaults]\nuserns = \"host\""), "fine");
}

}  // namespace
}  // namespace berth::config
