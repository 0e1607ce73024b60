// A plan is the same on the other side of the wire, however large; runc CVE-2021-43784 was a length that did
// not fit.
#include "runtime/plan.h"

#include <gtest/gtest.h>

namespace berth::runtime {
namespace {

constexpr size_t kMany = 70'000;  // more than 16 bits

ContainerPlan large_plan() {
  ContainerPlan plan;
  plan.id = "id";
  plan.hostname = std::string(kMany, 'h');
  plan.namespaces.network = NamespaceUse::joined;
  plan.rootfs.layers.assign(kMany, "/layer");
  for (uint32_t i = 0; i < kMany; ++i) {
    plan.uid_map.push_back({i, i + 1'000'000, 1});
    plan.mounts.push_back({.kind = MountKind::filesystem,
                           .type = "tmpfs",
                           .target = "/m",
                           .options = {"size=1m"},
                           .attributes = {.set = i}});
    plan.process.groups.push_back(i);
  }
  plan.gid_map = {{0, 524'288, 65'536}};
  plan.process.argv = {"sh", std::string(kMany, 'a'), ""};
  plan.process.environment.assign(kMany, std::string(300, 'e'));
  plan.process.no_new_privileges = true;
  plan.process.capabilities.bounding = 0x123456789;
  return plan;
}

TEST(Plan, IsWholeOnTheOtherSideHoweverLarge) {
  const ContainerPlan plan = large_plan();
  const std::string bytes = wire::encode(plan);
  EXPECT_GT(bytes.size(), size_t{20} << 20);
  const ContainerPlan read = wire::decode<ContainerPlan>(bytes).value();
  EXPECT_EQ(wire::encode(read), bytes);
  EXPECT_EQ(read.hostname, plan.hostname);
  EXPECT_EQ(read.mounts.size(), kMany);
  EXPECT_EQ(read.mounts.back().attributes.set, kMany - 1);
  EXPECT_EQ(read.uid_map.back().outside, 1'000'000 + kMany - 1);
  EXPECT_EQ(read.process.environment, plan.process.environment);
  EXPECT_EQ(read.namespaces, plan.namespaces);
  EXPECT_TRUE(read.process.no_new_privileges);
  EXPECT_EQ(read.process.capabilities, plan.process.capabilities);
}

TEST(Plan, IsRefusedWhereAnyByteIsMissingOrTooMany) {
  ContainerPlan plan;
  plan.id = "id";
  plan.uid_map = {{0, 524'288, 65'536}};
  plan.mounts = {{.kind = MountKind::namespaced, .type = "devpts", .target = "/dev/pts"}};
  plan.process.argv = {"sh"};
  const std::string bytes = wire::encode(plan);
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(wire::decode<ContainerPlan>(bytes.substr(0, length))) << length;
  }
  EXPECT_FALSE(wire::decode<ContainerPlan>(bytes + '\0'));
  EXPECT_TRUE(wire::decode<ContainerPlan>(bytes));
}

TEST(Plan, ACountBeyondTheMessageIsRefused) {
  std::string bytes = wire::encode(std::vector<std::string>{"x"});
  for (const char count : {'\x02', '\x7f', '\xff'}) {
    bytes[0] = bytes[3] = count;
    EXPECT_FALSE(wire::decode<std::vector<std::string>>(bytes));
  }
}

}  // namespace
}  // namespace berth::runtime
