#include "engine/network/namespace_settings.h"

#include <gtest/gtest.h>

namespace berth::engine {
namespace {

std::string groups(std::vector<runtime::IdExtent> extents) {
  runtime::ContainerPlan plan;
  plan.gid_map = std::move(extents);
  add_namespace_settings(plan);
  return plan.sysctls.at(1).value;
}

TEST(NamespaceSettings, LetEveryMappedGroupPing) {
  EXPECT_EQ(groups({{0, 1048576, 65536}}), "0 65535");
  EXPECT_EQ(groups({{0, 1000, 1}, {1, 1048576, 65535}}), "0 65535");
  EXPECT_EQ(groups({{0, 1048576, 65536}, {1000040000, 2097152, 10000}}), "0 1000049999");
  EXPECT_EQ(groups({{0, 1048576, 10}, {3000000000, 2097152, 10000}}), "0 2147483647");
}

// The kernel takes a range whose ends are in the wrong order on the host for an empty one.
TEST(NamespaceSettings, LetTheLargestPartPingWhereTheMapTurnsTheOrder) {
  EXPECT_EQ(groups({{0, 5000, 1}, {1, 1000, 100}}), "1 100");
}

TEST(NamespaceSettings, LetAllOfTheHostsGroupsPing) {
  EXPECT_EQ(groups({}), "0 2147483647");
}

TEST(NamespaceSettings, AreForANamespaceOfTheContainersOwn) {
  runtime::ContainerPlan plan;
  plan.namespaces.network = runtime::NamespaceUse::host;
  add_namespace_settings(plan);
  EXPECT_TRUE(plan.sysctls.empty());
}

TEST(NamespaceSettings, GiveWayToWhatAPersonSets) {
  runtime::ContainerPlan plan;
  plan.sysctls = {{"net/ipv4/ip_unprivileged_port_start", "1024"}};
  add_namespace_settings(plan);
  EXPECT_EQ(plan.sysctls.back().value, "1024");
}

}  // namespace
}  // namespace berth::engine
