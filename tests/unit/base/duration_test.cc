#include "base/duration.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

using std::chrono::milliseconds;

TEST(Duration, AsGoProgramsWriteIt) {
  EXPECT_EQ(parse_duration("5s"), milliseconds(5000));
  EXPECT_EQ(parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(parse_duration("1m30s"), milliseconds(90'000));
  EXPECT_EQ(parse_duration("1.5h"), milliseconds(5'400'000));
  EXPECT_EQ(parse_duration("1500us"), milliseconds(1));
  EXPECT_EQ(parse_duration("0s"), milliseconds(0));
}

TEST(Duration, NothingElse) {
  for (const char* wrong : {"", "5", "s", "-1s", "1x", "1 s", "1.2.3s", "1e3s", "99999999h", "nan", "inf"})
    EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace berth
