#include "engine/identity/users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/accounts.h"

namespace berth::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/bash\n"
    "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
    "app:x:1000:1001:App,,,:/home/app:/bin/sh\n"
    "app2:x:1000:7::/second:/bin/sh\n";
constexpr std::string_view kGroup =
    "root:x:0:\n"
    "www-data:x:33:\n"
    "audio:x:29:root,app\n"
    "video:x:44: app,www-data\n"
    "app:x:1001:\n";

idmap::IdMap bank_map() {
  const std::vector<Bank> banks{Bank(16)};
  return idmap::IdMap::from_banks(banks).value();
}

Result<ResolvedUser> resolve(std::string_view spec, std::string_view passwd = kPasswd,
                             std::string_view group = kGroup, std::vector<std::string> additional = {}) {
  return resolve_user({spec, "--user", additional}, {passwd, group}, bank_map(), bank_map());
}

// "uid:gid groups" or the refusal.
std::string outcome(std::string_view spec, std::string_view passwd = kPasswd, std::string_view group = kGroup,
                    std::vector<std::string> additional = {}) {
  const auto user = resolve(spec, passwd, group, std::move(additional));
  if (!user) return "refused: " + user.error().message;
  std::string out = fmt::format("{}:{}", user->uid.value(), user->gid.value());
  for (const ContainerGid gid : user->groups) out += fmt::format(" {}", gid.value());
  return out;
}

TEST(Users, WhoKeepsTheCallersGroupsHasNoOthers) {
  const ResolvedUser user =
      resolve_user({.spec = "app", .keeps_groups = true}, {kPasswd, kGroup}, bank_map(), bank_map()).value();
  EXPECT_TRUE(user.keeps_groups);
  EXPECT_THAT(user.groups, ElementsAre(ContainerGid(1001))) << "not audio and video";
}

TEST(Users, EverySpellingGivesTheUserItNames) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"", "0:0 0 29"},
      {"root", "0:0 0 29"},
      {"0", "0:0 0 29"},
      {"00", "0:0 0 29"},
      {"www-data", "33:33 33 44"},
      {"33", "33:33 33 44"},
      {"0033", "33:33 33 44"},
      {"app", "1000:1001 1001 29 44"},
      {"1000", "1000:1001 1001 29 44"},
      {"app2", "1000:7 7"},
      {"app:audio", "1000:29 29"},
      {"app:29", "1000:29 29"},
      {"app:0", "1000:0 0"},
      {"1000:1000", "1000:1000 1000"},
      {":audio", "0:29 29"},
      {":5", "0:5 5"},
      {"app:", "1000:1001 1001 29 44"},
      {"10000", "10000:0 0"},
      {"1", "1:0 0"},
      {"65535:65535", "65535:65535 65535"},
  };
  for (const auto& [spec, expected] : rows) EXPECT_EQ(outcome(spec), expected) << spec;
}

// containerd CVE-2024-40635, crun CVE-2026-30892: refused or exact, never 0.
TEST(Users, NumbersAtTheEdgesAreRefusedOrExactNeverRoot) {
  const auto whole = idmap::IdMap::from_extents({{0, 0, 4294967295U}}).value();
  for (const char* number : {"2147483647", "2147483648", "4294967294"}) {
    for (const std::string& spec : {std::string(number), std::string("5:") + number}) {
      const auto user = resolve_user({spec, "--user", {}}, {kPasswd, kGroup}, whole, whole);
      ASSERT_TRUE(user) << spec;
      const uint32_t value = spec.starts_with("5:") ? user->gid.value() : user->uid.value();
      EXPECT_EQ(std::to_string(value), number);
    }
  }
  for (const char* number :
       {"4294967295", "4294967296", "4294967297", "18446744073709551615", "18446744073709551616",
        "99999999999999999999", "-1", "-0", "+0", "0x0", "1e3", "1.0", "١", " 0", "0 "}) {
    EXPECT_THAT(outcome(number), HasSubstr("refused")) << number;
    EXPECT_THAT(outcome(std::string("5:") + number), HasSubstr("refused")) << number;
    EXPECT_THAT(outcome("5", kPasswd, kGroup, {number}), HasSubstr("refused")) << number;
  }
}

// containerd CVE-2026-46680: a number that does not parse is not a name.
TEST(Users, AnAllDigitUserIsNeverAName) {
  constexpr std::string_view kTrap =
      "4294967296:x:0:0::/root:/bin/sh\n"
      "4294967295:x:0:0::/root:/bin/sh\n"
      "10000:x:0:0::/root:/bin/sh\n"
      "99999999999999999999:x:0:0::/root:/bin/sh\n";
  EXPECT_THAT(outcome("4294967296", kTrap), HasSubstr("4294967296 is not an ID"));
  EXPECT_THAT(outcome("4294967295", kTrap), HasSubstr("refused"));
  EXPECT_THAT(outcome("99999999999999999999", kTrap), HasSubstr("refused"));
  EXPECT_EQ(outcome("10000", kTrap), "10000:0 0");
  EXPECT_THAT(outcome("5:4294967296", kPasswd, "4294967296:x:0:\n"), HasSubstr("refused"));
  EXPECT_EQ(outcome("5:77", kPasswd, "77:x:0:\n"), "5:77 77");
}

TEST(Users, EntriesWithImpossibleIdsNameNobody) {
  for (const char* line :
       {"app:x:4294967296:0::/:/bin/sh\n", "app:x:-1:0::/:/bin/sh\n", "app:x:4294967295:0::/:\n",
        "app:x::0::/:\n", "app:x:0\n", "app:x:0:\n", "app:x:0x0:0::/:\n", "app:x:5:4294967296::/:\n",
        "app:x:18446744073709551616:0::/:\n", "app\n", "+app:x:0:0::/:\n", "#app:x:0:0::/:\n"}) {
    EXPECT_THAT(outcome("app", line), HasSubstr("no user \"app\"")) << line;
  }
}

TEST(Users, UnknownNamesAreRefused) {
  EXPECT_EQ(outcome("nobody"), "refused: --user \"nobody\": no user \"nobody\" in the image's /etc/passwd");
  EXPECT_EQ(outcome("app:wheel"),
            "refused: --user \"app:wheel\": no group \"wheel\" in the image's /etc/group");
  const auto user = resolve_user({"web", "the image's USER", {}}, {}, bank_map(), bank_map());
  EXPECT_EQ(user.error().message, "the image's USER \"web\": no user \"web\": the image has no /etc/passwd");
  EXPECT_THAT(outcome("a:b:c"), HasSubstr("more than one colon"));
  EXPECT_THAT(outcome(std::string("root\n")), HasSubstr("control character"));
  EXPECT_THAT(outcome(std::string_view("root\0", 5)), HasSubstr("control character"));
}

TEST(Users, OutsideTheMapIsRefusedWithTheMap) {
  EXPECT_EQ(outcome("70000"),
            "refused: --user \"70000\": UID 70000 is outside the container's map of user IDs (0-65535 → "
            "1048576-1114111)");
  EXPECT_THAT(outcome("5:65536"), HasSubstr("GID 65536 is outside"));
  EXPECT_THAT(outcome("big", "big:x:70000:0::/:/bin/sh\n"), HasSubstr("UID 70000 is outside"));
  EXPECT_THAT(outcome("5", kPasswd, kGroup, {"65536"}),
              HasSubstr("--group-add \"65536\": GID 65536 is outside"));
}

TEST(Users, GroupsOfTheFileOutsideTheMapAreLeftOutWithAWarning) {
  const auto user = resolve("app", kPasswd, "far:x:70000:app\naudio:x:29:app\n");
  ASSERT_TRUE(user);
  EXPECT_THAT(user->groups, ElementsAre(ContainerGid(1001), ContainerGid(29)));
  ASSERT_EQ(user->warnings.size(), 1U);
  EXPECT_THAT(user->warnings[0], HasSubstr("group 70000"));
}

// CVE-2022-2989, -2990, -2995, -36109, CVE-2023-25173.
TEST(Users, ThePrimaryGroupIsAlwaysAmongTheGroups) {
  for (const char* spec : {"", "root", "app", "10000", "app:0", "5:6", "33"}) {
    const auto user = resolve(spec);
    ASSERT_TRUE(user);
    EXPECT_EQ(user->groups.at(0), user->gid) << spec;
    EXPECT_EQ(std::count(user->groups.begin(), user->groups.end(), user->gid), 1) << spec;
  }
}

TEST(Users, AdditionalGroupsAreNamesOrNumbers) {
  EXPECT_EQ(outcome("10000", kPasswd, kGroup, {"audio", "500", "29", "0"}), "10000:0 0 29 500");
  EXPECT_EQ(outcome("app:0", kPasswd, kGroup, {"video"}), "1000:0 0 44");
  EXPECT_THAT(outcome("app", kPasswd, kGroup, {"wheel"}), HasSubstr("--group-add \"wheel\": no group"));
  EXPECT_THAT(outcome("app", kPasswd, kGroup, {""}), HasSubstr("refused"));
}

TEST(Users, TheEntrySaysHomeShellAndName) {
  const auto known = resolve("1000");
  EXPECT_EQ(known->name, "app");
  EXPECT_EQ(known->home, "/home/app");
  EXPECT_EQ(known->shell, "/bin/sh");
  EXPECT_TRUE(known->has_entry);
  EXPECT_TRUE(known->gid_has_entry);
  const auto unknown = resolve("10000:5000");
  EXPECT_FALSE(unknown->has_entry);
  EXPECT_FALSE(unknown->gid_has_entry);
  EXPECT_TRUE(unknown->name.empty());
  EXPECT_TRUE(resolve("10000")->gid_has_entry);
}

TEST(Users, ANegativeOrHugeMembershipListIsBounded) {
  std::string group;
  for (int i = 0; i < 70000; ++i) group += fmt::format("g:x:{}:app\n", i);
  EXPECT_THAT(outcome("app", kPasswd, group), HasSubstr("the kernel allows 65536"));
}

TEST(Accounts, LinesAreReadAsGlibcReadsThem) {
  using std::literals::operator""sv;
  constexpr std::string_view kText =
      "\n"
      "# comment:x:1:1::/:\n"
      "  spaced:x: 5:+6:gecos:/home:/bin/sh:rest\n"
      "short:x:7:8\n"
      "nul:x:9:9:g\0:/home:/bin/sh\n"
      "cr:x:10:10::/:/bin/sh\r\n"
      "last:x:11:11::/l:/bin/zsh"sv;
  PasswdReader reader(kText);
  std::vector<std::string> seen;
  while (const auto entry = reader.next()) {
    seen.push_back(fmt::format("{}|{}|{}|{}|{}|{}", entry->name, entry->uid, entry->gid, entry->gecos,
                               entry->home, entry->shell));
  }
  EXPECT_THAT(seen, ElementsAre("spaced|5|6|gecos|/home|/bin/sh:rest", "short|7|8|||", "nul|9|9|g||",
                                "cr|10|10||/|/bin/sh\r", "last|11|11||/l|/bin/zsh"));
}

TEST(Accounts, MembersAreWholeNames) {
  const auto group = find_group("g:x:1:ann, bob ,,carol\n", uint32_t{1});
  ASSERT_TRUE(group);
  EXPECT_TRUE(has_member(*group, "ann"));
  EXPECT_TRUE(has_member(*group, "carol"));
  EXPECT_FALSE(has_member(*group, "an"));
  EXPECT_FALSE(has_member(*group, ""));
}

}  // namespace
}  // namespace berth::engine
