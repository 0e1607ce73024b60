#include "registry/retry.h"

#include <gtest/gtest.h>

namespace berth::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Failure transient() {
  return {Error{}, true};
}

TEST(Retry, DelaysDoubleWithJitterUpToTheLongest) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    RetryPlan plan({.retries = 6, .first_delay = milliseconds(100), .longest_delay = milliseconds(1000)},
                   seed);
    int64_t whole = 100;
    for (int i = 0; i < 6; ++i) {
      const auto delay = plan.next(transient());
      ASSERT_TRUE(delay);
      EXPECT_GE(delay->count(), whole / 2);
      EXPECT_LE(delay->count(), whole);
      whole = std::min<int64_t>(whole * 2, 1000);
    }
    EXPECT_FALSE(plan.next(transient())) << "the retries are used up";
  }
}

TEST(Retry, ClientsDoNotComeBackAtOnce) {
  RetryPlan a({}, 1);
  RetryPlan b({}, 2);
  EXPECT_NE(a.next(transient()), b.next(transient()));
}

TEST(Retry, WhatCannotPassIsNotTriedAgain) {
  RetryPlan plan({}, 1);
  EXPECT_FALSE(plan.next(Failure(Error{})));
}

TEST(Retry, AServersWishIsKeptToWithinReason) {
  RetryPlan plan({.retries = 3, .first_delay = milliseconds(1)}, 1);
  Failure failure = transient();
  failure.retry_after = seconds(7);
  EXPECT_EQ(plan.next(failure), seconds(7));
  failure.retry_after = seconds(3600);
  EXPECT_FALSE(plan.next(failure));
}

TEST(Retry, ProgressBeginsTheCountAnew) {
  RetryPlan plan({.retries = 1, .first_delay = milliseconds(1)}, 1);
  EXPECT_TRUE(plan.next(transient()));
  EXPECT_FALSE(plan.next(transient()));
  plan.reset();
  EXPECT_TRUE(plan.next(transient()));
}

TEST(Retry, AThousandRetriesDoNotOverflow) {
  RetryPlan plan({.retries = 1000, .first_delay = seconds(3600), .longest_delay = seconds(30)}, 1);
  for (int i = 0; i < 1000; ++i) EXPECT_LE(*plan.next(transient()), seconds(30));
}

TEST(RetryAfter, IsSecondsOrADate) {
  EXPECT_EQ(parse_retry_after("120", 0), seconds(120));
  EXPECT_EQ(parse_retry_after("Thu, 01 Jan 1970 00:01:40 GMT", 40), seconds(60));
  EXPECT_EQ(parse_retry_after("Thu, 01 Jan 1970 00:01:40 GMT", 4000), seconds(0));
  EXPECT_EQ(parse_retry_after("soon", 0), std::nullopt);
  EXPECT_EQ(parse_retry_after("-1", 0), std::nullopt);
  EXPECT_EQ(parse_retry_after("", 0), std::nullopt);
}

}  // namespace
}  // namespace berth::registry
