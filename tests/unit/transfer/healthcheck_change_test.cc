#include "transfer/healthcheck_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::transfer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Healthcheck, has_a_command_for_a_shell_or_a_list) {
  EXPECT_THAT(parse_healthcheck("CMD true || false")->test, ElementsAre("CMD-SHELL", "true || false"));
  EXPECT_THAT(parse_healthcheck(R"(CMD ["a", "b c"])")->test, ElementsAre("CMD", "a", "b c"));
  EXPECT_THAT(parse_healthcheck(" NONE")->test, ElementsAre("NONE"));
}

TEST(Healthcheck, has_times) {
  const auto check =
      parse_healthcheck("--interval=1m30s --timeout=500ms\t--start-period=1h --retries=4 CMD x");
  ASSERT_TRUE(check) << check.error().message;
  constexpr int64_t kSecond = 1'000'000'000;
  EXPECT_EQ(check->interval, 90 * kSecond);
  EXPECT_EQ(check->timeout, kSecond / 2);
  EXPECT_EQ(check->start_period, 3600 * kSecond);
  EXPECT_EQ(check->retries, 4);
}

TEST(Healthcheck, says_what_is_wrong) {
  for (const char* text :
       {"", "CMD", "true", "--retries=x CMD y", "--interval=5 CMD y", "--interval=99999999h CMD y",
        "--interval=s CMD y", "--what=1 CMD y", "--interval=1s", "CMD [", "NONE x"}) {
    const auto check = parse_healthcheck(text);
    EXPECT_FALSE(check) << text;
  }
  EXPECT_THAT(parse_healthcheck("--interval=5 CMD y").error().message, HasSubstr("30s"));
}

}  // namespace
}  // namespace berth::transfer
