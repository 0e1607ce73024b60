#include "engine/container/resource_spec.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "engine/container/container_cgroup.h"
#include "engine/container/container_spec.h"

namespace berth::engine {
namespace {

ResourceSpec with_everything() {
  ResourceSpec spec{.own_cgroup = false,
                    .cgroup_parent = "/a",
                    .memory = 64 << 20,
                    .memory_swap = kNoLimit,
                    .memory_swappiness = 0,
                    .oom_score_adj = -500,
                    .nano_cpus = 1'500'000'000,
                    .cpuset_cpus = "0-3",
                    .pids = kNoLimit};
  spec.device_read_bps = {{"/dev/sda", 1024}};
  spec.cgroup_files = {{"memory.high", "max"}};
  return spec;
}

TEST(ResourceSpec, ComesBackFromTheRecordAsItWas) {
  ContainerSpec spec;
  spec.resources = with_everything();
  const auto back = container_spec_from_json(to_json(spec).value());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(nlohmann::json(back->resources), nlohmann::json(spec.resources));
  EXPECT_FALSE(back->resources.own_cgroup);
  EXPECT_EQ(back->resources.memory_swap, kNoLimit);
  EXPECT_EQ(back->resources.memory_swappiness, 0U);
  EXPECT_EQ(back->resources.oom_score_adj, -500);
  EXPECT_EQ(back->resources.device_read_bps.at(0).value, 1024U);
}

TEST(ResourceSpec, OfOneWithoutLimitsIsEmpty) {
  EXPECT_EQ(nlohmann::json(ResourceSpec{}).dump(), "{}");
}

TEST(CgroupLimits, AreWhatTheKernelTakes) {
  const auto limits = cgroup_limits(
      {.memory = 64 << 20, .memory_swap = kNoLimit, .nano_cpus = 1'500'000'000, .pids = kNoLimit});
  ASSERT_TRUE(limits) << limits.error().message;
  EXPECT_EQ(limits->memory.limit, 64 << 20);
  EXPECT_EQ(limits->memory.swap, cgroup::kUnlimited);
  EXPECT_EQ(limits->cpu.quota, 150'000);
  EXPECT_EQ(limits->cpu.period, 100'000U);
  EXPECT_EQ(limits->pids, cgroup::kUnlimited);
}

TEST(CgroupRequest, HasAPathOfTheContainersOwn) {
  config::Config config;
  config.defaults.cgroup_manager.value = "cgroupfs";
  EXPECT_EQ(cgroup_request("0123", {}, config)->path, "/berth/container-0123");
  EXPECT_EQ(cgroup_request("0123", {}, config)->slice, "");
  EXPECT_EQ(cgroup_request("0123", {.cgroup_parent = "a/b"}, config)->path, "/a/b/container-0123");
  EXPECT_EQ(cgroup_request("0123", {.cgroup_parent = "a.slice"}, config)->path, "/a.slice/container-0123");
  EXPECT_EQ(cgroup_request("0123", {.own_cgroup = false}, config)->path, "");
  EXPECT_FALSE(cgroup_request("0123", {.own_cgroup = false, .memory = 64 << 20}, config));
  EXPECT_FALSE(cgroup_request("0123", {.cgroup_parent = "../b"}, config));
}

TEST(CgroupRequest, WhereSystemdHasToMakeItAParentIsASlice) {
  config::Config config;
  config.defaults.cgroup_manager.value = "systemd";
  EXPECT_FALSE(cgroup_request("0123", {.cgroup_parent = "/a/b"}, config));
  EXPECT_EQ(cgroup_request("0123", {.own_cgroup = false}, config)->slice, "");
}

}  // namespace
}  // namespace berth::engine
