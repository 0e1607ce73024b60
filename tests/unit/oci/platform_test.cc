#include "oci/platform.h"

#include <gtest/gtest.h>

namespace berth::oci {
namespace {

TEST(Platform, ManySpellingsAreOnePlatform) {
  EXPECT_EQ(describe(*parse_platform("linux/amd64")), "linux/amd64");
  EXPECT_EQ(describe(*parse_platform("linux/x86_64")), "linux/amd64");
  EXPECT_EQ(describe(*parse_platform("LINUX/AMD64/v1")), "linux/amd64");
  EXPECT_EQ(describe(*parse_platform("aarch64")), "linux/arm64");
  EXPECT_EQ(describe(*parse_platform("linux/arm64/8")), "linux/arm64");
  EXPECT_EQ(describe(*parse_platform("linux/arm")), "linux/arm/v7");
  EXPECT_EQ(describe(*parse_platform("linux/armel")), "linux/arm/v6");
  EXPECT_EQ(describe(*parse_platform("linux/arm/v6")), "linux/arm/v6");
}

TEST(Platform, WhatIsNoPlatformIsRefused) {
  for (const char* bad : {"", "/", "linux/", "linux//v7", "linux/arm/v7/x", "linux/a b", "linux/\x1b[31m"}) {
    const auto platform = parse_platform(bad);
    ASSERT_FALSE(platform) << bad;
    EXPECT_EQ(platform.error().code, Code::usage);
  }
}

TEST(Platform, AnOlderVariantServesANewerOneDoesNot) {
  const auto fit = [](const char* wanted, const char* offered) {
    return mismatch(*parse_platform(wanted), *parse_platform(offered));
  };
  EXPECT_EQ(fit("linux/amd64", "linux/amd64"), 0);
  EXPECT_EQ(fit("linux/arm/v7", "linux/arm/v6"), 1);
  EXPECT_EQ(fit("linux/arm/v7", "linux/arm/v5"), 2);
  EXPECT_EQ(fit("linux/arm/v6", "linux/arm/v7"), std::nullopt);
  EXPECT_EQ(fit("linux/amd64", "linux/amd64/v3"), std::nullopt) << "instructions the machine may lack";
  EXPECT_EQ(fit("linux/amd64/v3", "linux/amd64"), 2);
  EXPECT_EQ(fit("linux/amd64", "linux/arm64"), std::nullopt);
  EXPECT_EQ(fit("linux/amd64", "windows/amd64"), std::nullopt);
}

TEST(Platform, TheHostsOwnIsOne) {
  EXPECT_EQ(*parse_platform(describe(host_platform())), host_platform());
}

}  // namespace
}  // namespace berth::oci
