#include "engine/restart.h"

#include <gtest/gtest.h>

namespace berth::engine {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

store::ContainerRecord ended(std::optional<int64_t> status, int64_t ran_seconds = 1) {
  store::ContainerRecord record;
  record.started_at = 100 * kSecond;
  record.finished_at = (100 + ran_seconds) * kSecond;
  record.exit_status = status;
  return record;
}

RestartSpec policy(const char* text) {
  return parse_restart_policy(text).value();
}

TEST(RestartPolicy, IsReadAsPeopleWriteIt) {
  EXPECT_FALSE(policy("no").any());
  EXPECT_EQ(policy("on-failure:5").most, 5);
  EXPECT_EQ(policy("on-failure").most, 0);
  for (const char* wrong : {"", "never", "always:1", "on-failure:", "on-failure:-1", "on-failure:5x", "no:0"})
    EXPECT_FALSE(parse_restart_policy(wrong)) << wrong;
}

TEST(RestartPolicy, SaysWhoIsStartedAgain) {
  EXPECT_FALSE(wants_restart(policy("no"), ended(1)));
  EXPECT_TRUE(wants_restart(policy("always"), ended(0)));
  EXPECT_TRUE(wants_restart(policy("unless-stopped"), ended(0)));
  EXPECT_FALSE(wants_restart(policy("on-failure"), ended(0)));
  EXPECT_TRUE(wants_restart(policy("on-failure"), ended(137)));
  EXPECT_TRUE(wants_restart(policy("on-failure"), ended(std::nullopt))) << "an end that nobody saw";
}

TEST(RestartPolicy, CountsFailures) {
  store::ContainerRecord record = ended(1);
  record.restart_count = 2;
  EXPECT_TRUE(wants_restart(policy("on-failure:3"), record));
  record.restart_count = 3;
  EXPECT_FALSE(wants_restart(policy("on-failure:3"), record));
}

TEST(RestartPolicy, HasNoSayWhereAPersonHasStoppedIt) {
  store::ContainerRecord record = ended(1);
  record.stopped_by_user = true;
  for (const char* text : {"always", "unless-stopped", "on-failure"})
    EXPECT_FALSE(wants_restart(policy(text), record)) << text;
}

TEST(RestartPolicy, StartsWithTheMachine) {
  store::ContainerRecord record = ended(0);
  EXPECT_TRUE(wants_start_at_boot(policy("always"), record));
  EXPECT_TRUE(wants_start_at_boot(policy("unless-stopped"), record));
  EXPECT_FALSE(wants_start_at_boot(policy("on-failure"), record));
  record.stopped_by_user = true;
  EXPECT_TRUE(wants_start_at_boot(policy("always"), record));
  EXPECT_FALSE(wants_start_at_boot(policy("unless-stopped"), record));
  record.started_at.reset();
  EXPECT_FALSE(wants_start_at_boot(policy("always"), record)) << "it has never been started";
}

TEST(BackOff, DoublesUpToAMinuteAndBeginsAnewAfterTenSeconds) {
  store::ContainerRecord record = ended(1);
  EXPECT_EQ(next_delay(record), 100);
  record.restart_delay = 100;
  EXPECT_EQ(next_delay(record), 200);
  record.restart_delay = 51'200;
  EXPECT_EQ(next_delay(record), 60'000);
  record.restart_delay = 60'000;
  EXPECT_EQ(next_delay(record), 60'000);
  record.finished_at = *record.started_at + 10 * kSecond;
  EXPECT_EQ(next_delay(record), 100);
}

}  // namespace
}  // namespace berth::engine
