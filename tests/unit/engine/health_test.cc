#include <gtest/gtest.h>

#include "engine/health/health_check.h"
#include "engine/health/health_state.h"

namespace berth::engine {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

oci::ImageConfig image_with(oci::Healthcheck check) {
  oci::ImageConfig image;
  image.healthcheck = std::move(check);
  return image;
}

TEST(HealthCheck, IsTheImagesWhereTheFlagsSayNothing) {
  const auto check = health_check_of({}, image_with({.test = {"CMD", "a", "b"}, .interval = 5'000'000'000}));
  ASSERT_TRUE(check);
  EXPECT_EQ(check->command, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(check->interval, seconds(5));
  EXPECT_EQ(check->timeout, seconds(30));
  EXPECT_EQ(check->retries, 3);
}

TEST(HealthCheck, IsMadeUpOfBoth) {
  ContainerSpec spec;
  spec.health.timeout = nanoseconds(seconds(2)).count();
  const auto check = health_check_of(spec, image_with({.test = {"CMD-SHELL", "x y"}, .retries = 9}));
  ASSERT_TRUE(check);
  EXPECT_EQ(check->command, (std::vector<std::string>{"/bin/sh", "-c", "x y"}));
  EXPECT_EQ(check->timeout, seconds(2));
  EXPECT_EQ(check->retries, 9);
}

TEST(HealthCheck, IsNoneWhereNobodyKnowsWhatItWouldBe) {
  const std::vector<std::vector<std::string>> tests{{},
                                                    {"NONE"},
                                                    {"CMD"},
                                                    {"CMD-SHELL"},
                                                    {"CMD-SHELL", "a", "b"},
                                                    {"what", "a"},
                                                    {"CMD", std::string("a\0b", 3)}};
  for (const auto& test : tests) EXPECT_FALSE(health_check_of({}, image_with({.test = test})));
}

TEST(HealthCheck, KeepsTimesWithinReason) {
  const auto check = health_check_of(
      {}, image_with({.test = {"CMD", "a"}, .interval = 1, .timeout = INT64_MAX, .start_period = -1}));
  ASSERT_TRUE(check);
  EXPECT_EQ(check->interval, std::chrono::milliseconds(1));
  EXPECT_LE(check->timeout, std::chrono::hours(24 * 366));
  EXPECT_EQ(check->start_period, nanoseconds(0));
}

class HealthStates : public testing::Test {
 protected:
  void take(int64_t status, int64_t at = 0) {
    state_ = with_result(std::move(state_), {.begun_at = at, .exit_code = status}, check_, 0);
  }
  HealthCheck check_{.retries = 2};
  HealthState state_;
};

TEST_F(HealthStates, FollowTheLastFailuresInARow) {
  EXPECT_EQ(state_.status, kHealthStarting);
  take(1);
  EXPECT_EQ(state_.status, kHealthStarting);
  take(0);
  take(1);
  EXPECT_EQ(state_.status, kHealthy);
  EXPECT_EQ(state_.failing_streak, 1);
  take(-1);
  EXPECT_EQ(state_.status, kUnhealthy);
  take(0);
  EXPECT_EQ(state_.status, kHealthy);
  EXPECT_EQ(state_.failing_streak, 0);
}

TEST_F(HealthStates, DoNotCountFailuresOfTheStartPeriod) {
  check_.start_period = nanoseconds(100);
  take(1, 10);
  take(1, 99);
  EXPECT_EQ(state_.failing_streak, 0);
  take(1, 100);
  take(1, 101);
  EXPECT_EQ(state_.status, kUnhealthy);
}

TEST_F(HealthStates, CountFromTheFirstSuccessOn) {
  check_.start_period = nanoseconds(100);
  take(0, 10);
  take(1, 20);
  take(1, 30);
  EXPECT_EQ(state_.status, kUnhealthy);
}

TEST_F(HealthStates, KeepTheLastFiveResults) {
  for (int64_t at = 0; at < 9; ++at) take(0, at);
  ASSERT_EQ(state_.results.size(), 5U);
  EXPECT_EQ(state_.results.front().begun_at, 4);
  EXPECT_EQ(state_.results.back().begun_at, 8);
}

}  // namespace
}  // namespace berth::engine
