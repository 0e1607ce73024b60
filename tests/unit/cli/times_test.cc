#include "cli/times.h"

#include <ctime>

#include <gtest/gtest.h>

#include "base/clock.h"

namespace berth::cli {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr int64_t kDay = 86400;

TEST(TimeSpan, IsInTheUnitThatSaysMost) {
  EXPECT_EQ(time_span(seconds(-5)), "0 seconds");
  EXPECT_EQ(time_span(seconds(1)), "1 second");
  EXPECT_EQ(time_span(seconds(59)), "59 seconds");
  EXPECT_EQ(time_span(seconds(60)), "1 minute");
  EXPECT_EQ(time_span(seconds(3 * 3600 - 1)), "2 hours");
  EXPECT_EQ(time_span(seconds(kDay)), "1 day");
  EXPECT_EQ(time_span(seconds(13 * kDay)), "13 days");
  EXPECT_EQ(time_span(seconds(14 * kDay)), "2 weeks");
  EXPECT_EQ(time_span(seconds(700 * kDay)), "23 months");
  EXPECT_EQ(time_span(seconds(730 * kDay)), "2 years");
}

TEST(TimeSince, IsMeasuredFromNow) {
  constexpr int64_t kHour = 3'600'000'000'000;
  EXPECT_EQ(time_since(nanoseconds(now_nanoseconds() - 2 * kHour)), "2 hours");
  EXPECT_EQ(time_since(nanoseconds(now_nanoseconds() + kHour)), "0 seconds") << "the clock was put back";
}

TEST(Rfc3339, HasTheDigitsOfItsUnit) {
  EXPECT_EQ(rfc3339(seconds(1'769'860'800)), "2026-01-31T12:00:00Z");
  EXPECT_EQ(rfc3339(nanoseconds(1'769'860'800'000'000'042)), "2026-01-31T12:00:00.000000042Z");
  EXPECT_EQ(rfc3339(nanoseconds(-1)), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(rfc3339(seconds(253'402'300'799)), "9999-12-31T23:59:59Z") << "more than nanoseconds can hold";
}

TEST(Rfc3339, IsReadWithItsZone) {
  EXPECT_EQ(parse_rfc3339("2026-01-31T12:00:00Z"), 1'769'860'800);
  EXPECT_EQ(parse_rfc3339("2026-01-31T13:00:00.123456789+01:00"), 1'769'860'800);
  EXPECT_EQ(parse_rfc3339("2026-01-31T06:30:00-05:30"), 1'769'860'800);
  for (const char* bad : {"", "yesterday", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31T12:00:00Zx",
                          "2026-01-31T12:00:00*01:00", "2026-01-31T12:00:00+1:00"}) {
    EXPECT_EQ(parse_rfc3339(bad), std::nullopt) << bad;
  }
}

TEST(Moment, IsATimeOrHowLongAgoItWas) {
  constexpr int64_t kNow = 1'800'000'000;
  EXPECT_EQ(parse_moment("1769860800", kNow), 1'769'860'800);
  EXPECT_EQ(parse_moment("10m", kNow), kNow - 600);
  EXPECT_EQ(parse_moment("1h30m5s", kNow), kNow - 5405);
  EXPECT_EQ(parse_moment("2026-01-31T13:00:00+01:00", kNow), 1'769'860'800);
  tm local{};
  local.tm_year = 126;
  local.tm_mday = 31;
  local.tm_isdst = -1;
  EXPECT_EQ(parse_moment("2026-01-31", kNow), ::mktime(&local));
  EXPECT_EQ(parse_moment("2026-01-31T00:01", kNow), ::mktime(&local) + 60);
  EXPECT_EQ(parse_moment("2026-01-31T00:01:02", kNow), ::mktime(&local) + 62);
  for (const char* bad : {"", "soon", "m10", "10x", "10m5", "2026-13-01", "2026-01-31x", "-", "h",
                          "99999999999999999999h", "9999999999h9999999999h"}) {
    EXPECT_EQ(parse_moment(bad, kNow), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace berth::cli
