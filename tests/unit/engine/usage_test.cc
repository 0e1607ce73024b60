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

TEST(DiskTraffic, IsWhatWentToDisksAndNotWhatWasCached) {
  const DiskTraffic traffic = disk_traffic_in(
      "rchar: 900\nwchar: 800\nsyscr: 9\nsyscw: 8\nread_bytes: 4096\nwrite_bytes: 8192\n"
      "cancelled_write_bytes: 1\n");
  EXPECT_EQ(traffic.read, 4096U);
  EXPECT_EQ(traffic.written, 8192U);
  EXPECT_EQ(disk_traffic_in("read_bytes: many\nwrite_bytes\n").read, 0U);
}

}  // namespace
}  // namespace berth::engine
