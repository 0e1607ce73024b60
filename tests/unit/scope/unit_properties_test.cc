#include "scope/unit_properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace berth;
using namespace berth::scope;
using systemd::kInfinity;
using systemd::Property;
using testing::ElementsAre;

namespace {

std::vector<Property> of(std::vector<std::pair<std::string, std::string>> files, uint64_t period = 100'000) {
  std::vector<cgroup::Write> plan;
  for (auto& [file, value] : files) plan.push_back({"", file, value, ""});
  return limit_properties(plan, period);
}

TEST(LimitProperties, Numbers) {
  EXPECT_THAT(of({{"memory.max", "1048576"}, {"memory.swap.max", "max"}, {"pids.max", "33"}}),
              ElementsAre(Property{"MemoryMax", uint64_t{1048576}}, Property{"MemorySwapMax", kInfinity},
                          Property{"TasksMax", uint64_t{33}}));
  EXPECT_THAT(of({{"memory.limit_in_bytes", "-1"}}), ElementsAre(Property{"MemoryLimit", kInfinity}));
  EXPECT_THAT(of({{"cpu.idle", "1"}}), ElementsAre(Property{"CPUWeight", uint64_t{0}}));
  EXPECT_THAT(of({{"io.weight", "default 500"}}), ElementsAre(Property{"IOWeight", uint64_t{500}}));
}

TEST(LimitProperties, AQuotaIsRoundedUpToHundredths) {
  EXPECT_THAT(of({{"cpu.max", "20100 50000"}}),
              ElementsAre(Property{"CPUQuotaPeriodUSec", uint64_t{50'000}},
                          Property{"CPUQuotaPerSecUSec", uint64_t{410'000}}));
  EXPECT_THAT(of({{"cpu.max", "max"}}), ElementsAre(Property{"CPUQuotaPerSecUSec", kInfinity}));
}

TEST(LimitProperties, AQuotaAloneIsOfThePeriodThatThereIs) {
  EXPECT_THAT(of({{"cpu.cfs_quota_us", "50000"}}, 200'000),
              ElementsAre(Property{"CPUQuotaPerSecUSec", uint64_t{250'000}}));
}

TEST(LimitProperties, ListsAreBits) {
  EXPECT_THAT(of({{"cpuset.cpus", "0-1,9"}}),
              ElementsAre(Property{"AllowedCPUs", std::vector<uint8_t>{0b11, 0b10}}));
}

TEST(LimitProperties, WhatSystemdDoesNotKnowIsLeftOut) {
  EXPECT_TRUE(of({{"hugetlb.2MB.max", "0"}, {"io.max", "8:0 rbps=1"}, {"memory.max", "much"}}).empty());
}

TEST(DeviceProperties, AllIsNoPolicy) {
  EXPECT_THAT(device_properties({{.allow = false}, {.allow = true}}, ""),
              ElementsAre(Property{"DevicePolicy", std::string("auto")}));
}

TEST(DeviceProperties, NamesAsSystemdHasThem) {
  using enum cgroup::DeviceType;
  const std::vector<cgroup::DeviceRule> rules{{.allow = false},
                                              {true, character, 1, 3, cgroup::kAnyAccess},
                                              {true, character, 136, std::nullopt, cgroup::kReadDevice},
                                              {true, block, std::nullopt, std::nullopt, cgroup::kMakeDevice},
                                              {true, block, 77, std::nullopt, cgroup::kAnyAccess}};
  const auto found =
      device_properties(rules, "Character devices:\n  1 mem\n136 pts\n\nBlock devices:\n259 blkext\n");
  EXPECT_THAT(
      found,
      ElementsAre(Property{"DevicePolicy", std::string("strict")},
                  Property{"DeviceAllow",
                           Property::Pairs{{"/dev/char/1:3", "rwm"}, {"char-pts", "r"}, {"block-*", "m"}}}));
}

}  // namespace
