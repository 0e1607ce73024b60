#include "base/amounts.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

TEST(Amounts, Bytes) {
  EXPECT_EQ(parse_bytes("512"), 512U);
  EXPECT_EQ(parse_bytes("64m"), uint64_t{64} << 20);
  EXPECT_EQ(parse_bytes("10KB"), 10240U);
  EXPECT_EQ(parse_bytes("16777215t"), uint64_t{16777215} << 40);
  for (const char* text : {"", "m", "-1", "1.5g", "64 m", "1x", "16777216t", "18446744073709551616"})
    EXPECT_FALSE(parse_bytes(text)) << text;
}

TEST(Amounts, BytesAreShownInTheLargestUnitThatFits) {
  EXPECT_EQ(bytes_text(uint64_t{1} << 30), "1g");
  EXPECT_EQ(bytes_text((uint64_t{1} << 30) + (uint64_t{1} << 20)), "1025m");
  EXPECT_EQ(bytes_text(1025), "1025");
  EXPECT_EQ(bytes_text(0), "0");
}

TEST(Amounts, Processors) {
  EXPECT_EQ(parse_cpus("1.5"), 1'500'000'000U);
  EXPECT_EQ(parse_cpus(".25"), 250'000'000U);
  EXPECT_EQ(parse_cpus("2"), 2'000'000'000U);
  for (const char* text : {"", "-1", "1,5", "1.5.5", "one", "65537", "1e3"})
    EXPECT_FALSE(parse_cpus(text)) << text;
  EXPECT_EQ(cpus_text(1'500'000'000), "1.5");
  EXPECT_EQ(cpus_text(2'000'000'000), "2");
  EXPECT_EQ(cpus_text(1), "0.000000001");
}

}  // namespace
}  // namespace berth
