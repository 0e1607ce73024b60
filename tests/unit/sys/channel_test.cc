#include "sys/channel.h"

#include <gtest/gtest.h>

namespace berth::sys {
namespace {

TEST(Channel, HasWhatTheOtherEndSentThoughItLeftWithMessagesUnread) {
  auto [ours, theirs] = Channel::make_pair().value();
  ASSERT_TRUE(ours.send("never read"));
  ASSERT_TRUE(theirs.send("first"));
  ASSERT_TRUE(theirs.send("last"));
  theirs.close();
  EXPECT_EQ(ours.receive().value().data, "first");
  EXPECT_EQ(ours.receive().value().data, "last");
  EXPECT_EQ(ours.receive().value().data, "") << "the end";
  EXPECT_EQ(ours.receive().value().data, "") << "and still";
}

}  // namespace
}  // namespace berth::sys
