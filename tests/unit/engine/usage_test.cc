#include "engine/container/usage.h"

#include <gtest/gtest.h>

namespace berth::engine {
namespace {

constexpr const char* kHeading =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls "
    "carrier compressed\n";

TEST(Traffic, IsTheSumOfAllInterfacesButLoopback) {
  const Traffic sums = traffic_in(std::string(kHeading) +
                                  "    lo: 5000 5 0 0 0 0 0 0 5000 5 0 0 0 0 0 0\n"
                                  "  eth0: 100 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n"
                                  "  eth1:3 1 0 0 0 0 0 0 4 1 0 0 0 0 0 0\n");
  EXPECT_EQ(sums.received, 103U);
  EXPECT_EQ(sums.sent, 24U);
}

TEST(Traffic, OfWhatIsNoneIsNothing) {
  for (const char* text : {"", "\n", ":", "eth0:", "eth0: many 1", "eth0: -1 0 0 0 0 0 0 0 -2"}) {
    const Traffic sums = traffic_in(text);
    EXPECT_EQ(sums.received, 0U) << text;
    EXPECT_EQ(sums.sent, 0U) << text;
  }
}

}  // namespace
}  // namespace berth::engine
