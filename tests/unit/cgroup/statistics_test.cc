// The formats of statistics files, as kernels write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cgroup/statistic_files.h"

namespace berth::cgroup {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::string> shown(const std::vector<IoCount>& counts) {
  std::vector<std::string> out;
  for (const IoCount& one : counts) {
    out.push_back(fmt::format("{}:{} {} {}", one.device.major, one.device.minor, one.operation, one.value));
  }
  return out;
}

TEST(StatisticFiles, FlatOnes) {
  EXPECT_THAT(parse_flat("anon 12\nfile 18446744073709551615\nbroken\nworse x\n neither\n"),
              ElementsAre(Pair("anon", 12U), Pair("file", 18446744073709551615U)));
  EXPECT_THAT(parse_flat(""), IsEmpty());
}

TEST(StatisticFiles, Pressure) {
  const Pressure pressure = parse_pressure(
                                "some avg10=1.25 avg60=0.50 avg300=99.99 total=123456\n"
                                "full avg10=0.10 avg60=0.00 avg300=0.00 total=7\n")
                                .value();
  EXPECT_DOUBLE_EQ(pressure.some.percent_10s, 1.25);
  EXPECT_DOUBLE_EQ(pressure.some.percent_60s, 0.5);
  EXPECT_DOUBLE_EQ(pressure.some.percent_300s, 99.99);
  EXPECT_EQ(pressure.some.total_us, 123456U);
  EXPECT_EQ(pressure.full.total_us, 7U);
  // Before Linux 5.13 cpu.pressure had no "full".
  EXPECT_EQ(parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n")->full.total_us, 0U);
  EXPECT_FALSE(parse_pressure(""));
  EXPECT_FALSE(parse_pressure("full avg10=1.00\n"));
}

TEST(StatisticFiles, IoOfV2) {
  IoStatistics io;
  parse_io_stat(
      "8:0 rbytes=90112 wbytes=5 rios=3 wios=1 dbytes=7 dios=2\n"
      "254:0 \n8:16 rbytes=x cost.usage=5\nbroken rbytes=1\n",
      io);
  EXPECT_THAT(shown(io.bytes), ElementsAre("8:0 Read 90112", "8:0 Write 5", "8:0 Discard 7"));
  EXPECT_THAT(shown(io.operations), ElementsAre("8:0 Read 3", "8:0 Write 1", "8:0 Discard 2"));
}

TEST(StatisticFiles, IoOfV1) {
  EXPECT_THAT(shown(parse_blkio("254:0 Read 312\n254:0 Write 9\n254:0 Sync 1\n254:0 Total 321\nTotal 321\n")),
              ElementsAre("254:0 Read 312", "254:0 Write 9", "254:0 Sync 1"));
  EXPECT_THAT(parse_blkio("Total 0\n"), IsEmpty());
}

TEST(StatisticFiles, Rdma) {
  const auto rdma = parse_rdma("mlx4_0 hca_handle=1 hca_object=20\nocrdma1 hca_handle=1 hca_object=23\n",
                               "mlx4_0 hca_handle=2 hca_object=2000\nocrdma1 hca_handle=3 hca_object=max\n");
  ASSERT_EQ(rdma.size(), 2U);
  EXPECT_EQ(rdma[0].device, "mlx4_0");
  EXPECT_EQ(rdma[0].objects, 20U);
  EXPECT_EQ(rdma[0].objects_limit, 2000U);
  EXPECT_EQ(rdma[1].handles_limit, 3U);
  EXPECT_EQ(rdma[1].objects_limit, std::nullopt);
}

TEST(StatisticFiles, Numbers) {
  EXPECT_THAT(parse_numbers("1 22  x 333 \n"), ElementsAre(1U, 22U, 333U));
}

}  // namespace
}  // namespace berth::cgroup
