#include "engine/identity/host_users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kPasswd = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/var/www:/bin/false\n";
constexpr std::string_view kGroup = "root:x:0:\naudio:x:29:\nweb:x:33:\n";
const HostUserSpec kCarol{"carol", 4001, 4002, "Carol", "/home/carol", "staff"};

std::string refusal(const HostUserSpec& account, std::vector<HostUserSpec> users = {}) {
  const Result<> added = add_account(account, users);
  return added ? "accepted" : added.error().message;
}

TEST(HostUsers, AnAccountMustFitIntoTheFiles) {
  EXPECT_EQ(refusal(kCarol), "accepted");
  const auto changed = [](auto change) {
    HostUserSpec account = kCarol;
    change(account);
    return refusal(account);
  };
  EXPECT_THAT(changed([](auto& a) { a.name = "ca:rol"; }), HasSubstr("holds a blank, a colon"));
  EXPECT_THAT(changed([](auto& a) { a.name = ""; }), HasSubstr("the user name is empty"));
  EXPECT_THAT(changed([](auto& a) { a.name = "+carol"; }), HasSubstr("begins with +"));
  EXPECT_THAT(changed([](auto& a) { a.name = std::string(256, 'c'); }), HasSubstr("256 bytes"));
  EXPECT_THAT(changed([](auto& a) { a.group = "st\naff"; }), HasSubstr("control character"));
  EXPECT_THAT(changed([](auto& a) { a.description = "a\nb::0:0"; }), HasSubstr("control character"));
  EXPECT_THAT(changed([](auto& a) { a.description = "a:b"; }), HasSubstr("colon"));
  EXPECT_THAT(changed([](auto& a) { a.home = std::string("/a\0b", 4); }), HasSubstr("control character"));
  EXPECT_THAT(changed([](auto& a) { a.home = "/" + std::string(5000, 'x'); }),
              HasSubstr("4096 are the most"));
}

TEST(HostUsers, NoTwoShareANameOrAUid) {
  std::vector<HostUserSpec> users;
  ASSERT_TRUE(add_account(kCarol, users));
  ASSERT_TRUE(add_account(kCarol, users));
  EXPECT_EQ(users.size(), 1U) << "asked for twice, it is there once";
  HostUserSpec other = kCarol;
  other.name = "twin";
  EXPECT_THAT(refusal(other, users), HasSubstr("carol with UID 4001 and twin with UID 4001 can't both"));
  other = kCarol;
  other.uid = 4005;
  EXPECT_THAT(refusal(other, users), HasSubstr("carol with UID 4001 and carol with UID 4005 can't both"));
}

TEST(HostUsers, TheHostIsAsked) {
  std::vector<HostUserSpec> users;
  ASSERT_TRUE(add_host_user("root", users));
  ASSERT_TRUE(add_host_user("0", users));
  ASSERT_EQ(users.size(), 1U);
  EXPECT_EQ(users[0].uid, 0U);
  EXPECT_EQ(users[0].group, "root");
  EXPECT_THAT(add_host_user("no-such-user-here", users).error().message, "the host has no such user");
  EXPECT_THAT(add_host_user("4294967295", users).error().message, HasSubstr("is not an ID"));
  EXPECT_THAT(add_host_user("", users).error().message, "the host has no such user");
}

struct Seen {
  std::string passwd, group;
  std::vector<std::string> homes;
};
Result<Seen> seen(std::vector<HostUserSpec> users, std::vector<MountSpec> mounts = {},
                  std::string_view working_directory = "/work", AccountFiles image = {kPasswd, kGroup}) {
  ContainerSpec spec;
  spec.host_users = std::move(users);
  spec.mounts = std::move(mounts);
  const Accounts accounts = TRY(accounts_of(spec, image, working_directory));
  Seen result{std::string(accounts.files().passwd.value_or("none")),
              std::string(accounts.files().group.value_or("none")),
              {}};
  ResolvedUser user;
  user.uid = ContainerUid(4001);
  user.home = "/home/carol";
  for (const PasswdFields& fields : accounts.wanted_by(user).host_users) result.homes.push_back(fields.home);
  if (!accounts.wanted_by(user).mounted_home.empty()) result.homes.emplace_back("mounted");
  return result;
}

TEST(HostUsers, StandBehindTheImageS) {
  const Seen carol = seen({kCarol}).value();
  EXPECT_EQ(carol.passwd, std::string(kPasswd) + "carol:x:4001:4002:Carol:/work:/bin/sh\n");
  EXPECT_EQ(carol.group, std::string(kGroup) + "staff:x:4002:\n");
  const Seen none = seen({}).value();
  EXPECT_EQ(none.passwd, kPasswd);
  EXPECT_EQ(seen({}, {}, "/", {std::nullopt, std::nullopt}).value().passwd, "none");
}

TEST(HostUsers, HomeIsTheHostSWhereSomethingIsMounted) {
  EXPECT_THAT(seen({kCarol}).value().homes, ElementsAre("/work"));
  EXPECT_THAT(seen({kCarol}, {}, "").value().homes, ElementsAre("/"));
  const auto with = [](const std::string& target) {
    return seen({kCarol}, {{.type = "tmpfs", .target = target}}).value().homes;
  };
  EXPECT_THAT(with("/home/carol"), ElementsAre("/home/carol", "mounted"));
  EXPECT_THAT(with("/home/"), ElementsAre("/home/carol", "mounted"));
  EXPECT_THAT(with("/home/car"), ElementsAre("/work"));
  EXPECT_THAT(with("/home/carol/deep"), ElementsAre("/work"));
  EXPECT_THAT(with("/"), ElementsAre("/work"));
}

TEST(HostUsers, WhatTheImageHasIsNotAddedAgain) {
  EXPECT_THAT(seen({{"web", 33, 33, "", "/srv", "web"}}).value().homes, IsEmpty());
  EXPECT_EQ(seen({{"web", 33, 33, "", "/srv", "web"}}).value().passwd, kPasswd);
  EXPECT_EQ(seen({{"carol", 4001, 29, "", "/srv", "sound"}}).value().group, kGroup) << "GID 29 has a name";
  EXPECT_THAT(seen({{"web", 34, 34, "", "/srv", "x"}}).error().message,
              "--hostuser web: the image has a user of that name, with UID 33 and not 34");
  EXPECT_THAT(seen({{"carol", 33, 34, "", "/srv", "x"}}).error().message,
              "--hostuser carol: the image has UID 33 already, by the name web");
  EXPECT_THAT(seen({{"carol", 4001, 4002, "", "/srv", "audio"}}).error().message,
              HasSubstr("has a group of that name with GID 29 and not 4002"));
}

}  // namespace
}  // namespace berth::engine
