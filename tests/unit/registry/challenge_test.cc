#include "registry/challenge.h"

#include <random>

#include <gtest/gtest.h>

namespace berth::registry {
namespace {

TEST(Challenge, ABearerRealmWithItsServiceAndScope) {
  const auto challenges = parse_challenges(
      R"(Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push")");
  ASSERT_EQ(challenges.size(), 1U);
  EXPECT_EQ(challenges[0].scheme, "bearer");
  EXPECT_EQ(challenges[0].parameter("realm"), "https://auth.example/token");
  EXPECT_EQ(challenges[0].parameter("service"), "registry.example");
  EXPECT_EQ(challenges[0].parameter("scope"), "repository:a/b:pull,push");
  EXPECT_EQ(challenges[0].parameter("error"), "");
}

TEST(Challenge, SeveralInOneField) {
  const auto challenges = parse_challenges("Negotiate, Basic realm=x , BEARER Realm = \"y\" ,a=b");
  ASSERT_EQ(challenges.size(), 3U);
  EXPECT_EQ(challenges[0].scheme, "negotiate");
  EXPECT_EQ(challenges[1].scheme, "basic");
  EXPECT_EQ(challenges[1].parameter("realm"), "x");
  EXPECT_EQ(challenges[2].scheme, "bearer");
  EXPECT_EQ(challenges[2].parameter("realm"), "y");
  EXPECT_EQ(challenges[2].parameter("a"), "b");
}

TEST(Challenge, QuotedPairs) {
  EXPECT_EQ(parse_challenges(R"(Basic realm="a\"b\\c, d=e")")[0].parameter("realm"), R"(a"b\c, d=e)");
}

TEST(Challenge, WhatIsMalformedEndsTheList) {
  EXPECT_TRUE(parse_challenges("").empty());
  EXPECT_TRUE(parse_challenges(",,, ,").empty());
  EXPECT_TRUE(parse_challenges("\"x\"").empty());
  EXPECT_EQ(parse_challenges("Bearer realm=\"open")[0].parameter("realm"), "");
  EXPECT_EQ(parse_challenges("Bearer realm=\"a\\").size(), 1U);
  EXPECT_EQ(parse_challenges("Basic realm=a, =b, Bearer realm=c").size(), 1U);
}

TEST(Challenge, TheFirstOfTwoParametersCounts) {
  EXPECT_EQ(parse_challenges("Bearer realm=a,realm=b")[0].parameter("realm"), "a");
}

TEST(Challenge, ItsNumberIsBounded) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "Basic realm=x, ";
  EXPECT_LE(parse_challenges(many).size(), 16U);
  std::string wide = "Basic ";
  for (int i = 0; i < 1000; ++i) wide += "p" + std::to_string(i) + "=x,";
  EXPECT_LE(parse_challenges(wide)[0].parameters.size(), 32U);
}

}  // namespace
}  // namespace berth::registry
