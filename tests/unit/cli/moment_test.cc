#include "cli/moment.h"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

constexpr int64_t kNow = 1'769'860'800'000'000'000;  // 2026-01-31T12:00:00Z

std::optional<int64_t> moment(std::string_view text) {
  return parse_moment_nanoseconds(text, kNow);
}

TEST(Moment, IsATimeOfRfc3339) {
  EXPECT_EQ(moment("2026-01-31T12:00:00Z"), kNow);
  EXPECT_EQ(moment("2026-01-31T13:00:00.5+01:00"), kNow + 500'000'000);
  EXPECT_EQ(moment("2026-01-31T12:00:00.000000001Z"), kNow + 1);
  EXPECT_EQ(moment("2026-01-31T12:00:00.0000000019Z"), kNow + 1);
}

TEST(Moment, IsANumberOfSeconds) {
  EXPECT_EQ(moment("1769860800"), kNow);
  EXPECT_EQ(moment("1769860800.25"), kNow + 250'000'000);
  EXPECT_EQ(moment("1769860800.000000001"), kNow + 1);
  EXPECT_EQ(moment("0"), 0);
}

TEST(Moment, IsHowLongAgoItWas) {
  EXPECT_EQ(moment("0s"), kNow);
  EXPECT_EQ(moment("10s"), kNow - 10'000'000'000);
  EXPECT_EQ(moment("1h30m"), kNow - 5'400'000'000'000);
  EXPECT_EQ(moment("1.5h"), kNow - 5'400'000'000'000);
  EXPECT_EQ(moment("1.5s"), kNow - 1'500'000'000);
  EXPECT_EQ(moment("250ms"), kNow - 250'000'000);
  EXPECT_EQ(moment("1.5ms"), kNow - 1'500'000);
  EXPECT_EQ(moment("2us3ns"), kNow - 2003);
  EXPECT_EQ(moment("-10s"), kNow + 10'000'000'000);
}

TEST(Moment, IsNothingElse) {
  for (const char* text : {"", ".", "-", "s", "1x", "1h-", "yesterday", "99999999999999999999",
                           "9999999999999h", "18446744073709551616", "--1s", "1..5s", "2026-13-01", "1e3"}) {
    EXPECT_EQ(moment(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace berth::cli
