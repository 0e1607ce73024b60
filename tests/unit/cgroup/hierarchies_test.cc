// Hierarchies from the texts of /proc, of the three layouts and of containers.
#include "cgroup/hierarchies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::cgroup {
namespace {

using testing::ElementsAre;

Hierarchy at(const std::string& key, const std::string& place, std::optional<std::string> own) {
  return {key, place, std::move(own)};
}

TEST(Hierarchies, OfAUnifiedHost) {
  const Hierarchies found =
      parse_hierarchies(
          "21 26 0:20 / /sys rw - sysfs sysfs rw\n"
          "30 21 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
          "0::/user.slice/session-1.scope\n")
          .value();
  EXPECT_THAT(found.all, ElementsAre(at("", "/sys/fs/cgroup", "/user.slice/session-1.scope")));
  EXPECT_TRUE(found.unified());
  EXPECT_NE(found.v2(), nullptr);
}

TEST(Hierarchies, OfAHybridHostV2First) {
  const Hierarchies found =
      parse_hierarchies(
          "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
          "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
          "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
          "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
          "9:name=systemd:/\n4:memory:/api/1\n1:cpu,cpuacct:/\n7:blkio:/\n0::/x\n")
          .value();
  EXPECT_THAT(found.all, ElementsAre(at("", "/sys/fs/cgroup/unified", "/x"),
                                     at("cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/"),
                                     at("memory", "/sys/fs/cgroup/memory", "/api/1"),
                                     at("name=systemd", "/sys/fs/cgroup/systemd", "/")))
      << "and blkio, which is mounted nowhere, is left out";
  EXPECT_FALSE(found.unified());
  EXPECT_TRUE(found.find("cpu,cpuacct")->has("cpuacct"));
  EXPECT_FALSE(found.find("cpu,cpuacct")->has("cpua"));
}

TEST(Hierarchies, ANamedHierarchyAloneDoesNotMakeAHybrid) {
  const Hierarchies found = parse_hierarchies(
                                "1 2 0:1 / /a rw - cgroup cgroup rw,name=systemd\n"
                                "3 2 0:2 / /b rw - cgroup2 cgroup2 rw\n",
                                "1:name=systemd:/\n0::/\n")
                                .value();
  EXPECT_TRUE(found.unified());
}

TEST(Hierarchies, AMountOfAPartShowsTheOwnPlaceBelowIt) {
  const auto own = [](const std::string& root, const std::string& path) {
    return parse_hierarchies("1 2 0:1 " + root + " /c rw - cgroup2 x rw\n", "0::" + path + "\n")
        .value()
        .all[0]
        .own;
  };
  EXPECT_EQ(own("/docker/abc", "/docker/abc"), "/");
  EXPECT_EQ(own("/docker/abc", "/docker/abc/in"), "/in");
  EXPECT_EQ(own("/docker/abc", "/docker/abcd"), std::nullopt) << "a name that only begins like it";
  EXPECT_EQ(own("/docker/abc", "/elsewhere"), std::nullopt);
  EXPECT_EQ(own("/", "/../outside"), std::nullopt) << "outside of the cgroup namespace";
}

TEST(Hierarchies, TheMountOfTheWholeTreeIsTakenBeforeOneOfAPart) {
  const Hierarchies found = parse_hierarchies(
                                "1 2 0:1 /part /a rw - cgroup2 x rw\n"
                                "1 2 0:1 / /whole rw - cgroup2 x rw\n"
                                "1 2 0:1 / /again rw - cgroup2 x rw\n",
                                "0::/part/x\n")
                                .value();
  EXPECT_THAT(found.all, ElementsAre(at("", "/whole", "/part/x")));
}

TEST(Hierarchies, APathMayHaveColonsAndSpaces) {
  const Hierarchies found =
      parse_hierarchies("1 2 0:1 / /a\\040b rw - cgroup2 x rw\n", "0::/kube:pod:1 x\n").value();
  EXPECT_THAT(found.all, ElementsAre(at("", "/a b", "/kube:pod:1 x")));
}

TEST(Hierarchies, WhatIsNoLineIsAnError) {
  EXPECT_FALSE(parse_hierarchies("", "x::/\n"));
  EXPECT_FALSE(parse_hierarchies("", "1:cpu\n"));
  EXPECT_FALSE(parse_hierarchies("", "0::relative\n"));
  EXPECT_FALSE(parse_hierarchies("1 2 - cgroup2 x rw\n", ""));
  EXPECT_TRUE(parse_hierarchies("", "").value().all.empty());
}

}  // namespace
}  // namespace berth::cgroup
