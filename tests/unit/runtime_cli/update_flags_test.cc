#include "runtime_cli/update_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::runtime_cli {
namespace {

using testing::HasSubstr;

Result<bundle::Resources> given(std::string_view flag, const std::string& value) {
  UpdateValues values;
  for (size_t i = 0; i < values.size(); ++i) {
    if (kUpdateFlags.at(i).name == flag) values.at(i) = value;
  }
  return resources_of(values);
}
std::optional<int64_t> memory(const std::string& value) {
  const Result<bundle::Resources> resources = given("--memory", value);
  return resources ? resources->memory.limit : std::nullopt;
}
std::string refusal(std::string_view flag, const std::string& value) {
  const Result<bundle::Resources> resources = given(flag, value);
  return resources ? "accepted" : resources.error().message;
}

TEST(UpdateFlags, SizesHaveUnits) {
  EXPECT_EQ(memory("1000"), 1000);
  EXPECT_EQ(memory("64m"), 64 << 20);
  EXPECT_EQ(memory("1GiB"), 1 << 30);
  EXPECT_EQ(memory("2Kb"), 2048);
  EXPECT_EQ(memory("-1"), -1);
  for (const char* wrong : {"m", "1x", "1.5g", "-2", "1mm", "9999999999g", " 1"})
    EXPECT_THAT(refusal("--memory", wrong), HasSubstr("--memory")) << wrong;
}

TEST(UpdateFlags, EachIsOneMemberOfTheDocument) {
  EXPECT_EQ(given("--cpu-share", "512")->cpu.shares, 512U);
  EXPECT_EQ(given("--cpu-quota", "-1")->cpu.quota, -1);
  EXPECT_EQ(given("--cpuset-cpus", "0-1")->cpu.cpus, "0-1");
  EXPECT_EQ(given("--pids-limit", "5")->pids_limit, 5);
  EXPECT_EQ(given("--blkio-weight", "300")->block_io.weight, 300);
  EXPECT_EQ(given("--cpu-rt-runtime", "7")->cpu.realtime_runtime, 7);
}

TEST(UpdateFlags, NothingGivenIsNothingSaid) {
  const Result<bundle::Resources> nothing = resources_of({});
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->memory.limit || nothing->cpu.shares || nothing->pids_limit);
  EXPECT_FALSE(given("--memory", "")->memory.limit);
}

TEST(UpdateFlags, WhatCannotBeIsRefused) {
  EXPECT_EQ(refusal("--pids-limit", "many"), "--pids-limit many: it is a whole number");
  EXPECT_THAT(refusal("--cpuset-cpus", "a"), HasSubstr("cpu.cpus: \"a\" is not allowed"));
  EXPECT_THAT(refusal("--blkio-weight", "5"), HasSubstr("blockIO.weight"));
}

}  // namespace
}  // namespace berth::runtime_cli
