#include "idmap/map_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::idmap {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

MapRequest parsed(std::string_view value) {
  auto request = parse_map_request("--uidmap", value);
  EXPECT_TRUE(request) << request.error().message;
  return request ? std::move(request).value() : MapRequest{};
}

TEST(MapRequest, PodmansThreeFields) {
  const MapRequest request = parsed("0:100000:10000");
  EXPECT_EQ(request.text, "--uidmap 0:100000:10000");
  EXPECT_EQ(request.inside, 0U);
  EXPECT_EQ(request.outside, 100000U);
  EXPECT_EQ(request.count, 10000U);
  EXPECT_FALSE(request.adds || request.host_terms);
  EXPECT_TRUE(request.for_users && request.for_groups);
}

TEST(MapRequest, PodmansFlags) {
  const MapRequest request = parsed("+g100000:@2000");
  EXPECT_TRUE(request.adds && request.host_terms && request.for_groups);
  EXPECT_FALSE(request.for_users);
  EXPECT_EQ(request.inside, 100000U);
  EXPECT_EQ(request.outside, 2000U);
  EXPECT_EQ(map_request_size(request), 1U) << "with +, as podman has it";
  EXPECT_FALSE(parsed("u20000:2000:1").for_groups);
  EXPECT_TRUE(parsed("ug1:2:3").for_users && parsed("gu+1:2:3").for_groups);
}

TEST(MapRequest, AnyFieldCanBeLeftOut) {
  const MapRequest of_own_bank = parsed("::3000");
  EXPECT_EQ(of_own_bank.inside, 0U);
  EXPECT_EQ(of_own_bank.outside, std::nullopt);
  EXPECT_EQ(of_own_bank.count, 3000U);
  const MapRequest at_host = parsed("0:200000");
  EXPECT_EQ(at_host.outside, 200000U);
  EXPECT_EQ(at_host.count, std::nullopt);
  EXPECT_EQ(map_request_size(at_host), 65536U);
  EXPECT_EQ(parsed(":200000").outside, 200000U);
  EXPECT_EQ(parsed(":200000:").outside, 200000U);
  EXPECT_EQ(parsed("5::").inside, 5U);
  EXPECT_EQ(parsed("::").inside, 0U);
  EXPECT_EQ(parsed("+:1000").adds, true);
}

TEST(MapRequest, TheLastIdsCanBeMapped) {
  EXPECT_EQ(parsed("4294967294:4294967294:1").inside, 4294967294U);
  EXPECT_EQ(parsed("0:0:4294967295").count, 4294967295U);
  EXPECT_EQ(parsed("00:000000000000000000000005:1").outside, 5U);
}

struct Bad {
  const char* value;
  const char* message;
};

TEST(MapRequest, EveryRefusalHasItsMessage) {
  const std::vector<Bad> table{
      {"", "--uidmap : it is empty"},
      {"200000", "--uidmap 200000: it has one field only, which could be the container's ID or the host's"},
      {"0:1:2:3", "--uidmap 0:1:2:3: it has more than three fields; repeat the flag for more than one range"},
      {"0:1000:0", "--uidmap 0:1000:0: a size of 0 maps nothing"},
      {"x0:1:2", "--uidmap x0:1:2: \"x\" is none of the flags + u g"},
      {"@0:1:2", "--uidmap @0:1:2: @ stands before the host's ID, not before the container's"},
      {"-1:0:1", "--uidmap -1:0:1: \"-1\" is not a number"},
      {"0:-1:1", "--uidmap 0:-1:1: \"-1\" is not a number"},
      {"0:+1:1", "--uidmap 0:+1:1: \"+1\" is not a number"},
      {"0 :1:1", "--uidmap 0 :1:1: \"0 \" is not a number"},
      {"0:0x10:1", "--uidmap 0:0x10:1: \"0x10\" is not a number"},
      {"0:1:many", "--uidmap 0:1:many: \"many\" is not a number"},
      {"0:@:1", "--uidmap 0:@:1: there is no host ID after the @"},
      {"0:@@5:1", "--uidmap 0:@@5:1: \"@5\" is not a number"},
      {"0:4294967295:1", "--uidmap 0:4294967295:1: 4294967295 is too big: the highest ID is 4294967294"},
      {"4294967296:0:1", "--uidmap 4294967296:0:1: 4294967296 is too big: the highest ID is 4294967294"},
      {"0:0:4294967296", "--uidmap 0:0:4294967296: 4294967296 is too big: the highest ID is 4294967294"},
      {"0:18446744073709551616:1",
       "--uidmap 0:18446744073709551616:1: 18446744073709551616 is too big: the highest ID is 4294967294"},
      {"4294967290:0:10",
       "--uidmap 4294967290:0:10: 10 IDs from 4294967290 on go past the last ID inside the container, "
       "4294967294: there are 5 left"},
      {"0:4294967290:10",
       "--uidmap 0:4294967290:10: 10 IDs from 4294967290 on go past the last ID of the host, 4294967294: "
       "there "
       "are 5 left"},
      {"0:4294901760",
       "--uidmap 0:4294901760: 65536 IDs from 4294901760 on go past the last ID of the host, 4294967294: "
       "there "
       "are 65535 left"},
      {"1::4294967295",
       "--uidmap 1::4294967295: 4294967295 IDs from 1 on go past the last ID inside the container, "
       "4294967294: there are 4294967294 left"},
  };
  for (const Bad& bad : table) {
    const auto request = parse_map_request("--uidmap", bad.value);
    ASSERT_FALSE(request) << bad.value;
    EXPECT_EQ(request.error().message, bad.message);
    EXPECT_EQ(request.error().code, Code::usage);
  }
}

TEST(MapRequest, ALongValueIsCutInItsMessage) {
  const auto request = parse_map_request("--uidmap", std::string(100000, '1'));
  ASSERT_FALSE(request);
  EXPECT_LT(request.error().message.size(), 200U);
  EXPECT_THAT(request.error().message, HasSubstr("too long"));
}

TEST(MapRequest, ALoneNumberIsToldHowToBeClear) {
  EXPECT_THAT(parse_map_request("--uidmap", "200000").error().hint, StartsWith("0:HOST maps"));
}

TEST(MapRequest, IsWrittenAndReadAgain) {
  for (const char* value : {"0:100000:10000", "+g100000:@2000:", "u5::", "+0::7", "4294967294:1:1"}) {
    EXPECT_EQ(map_request_value(parsed(value)), value);
    EXPECT_EQ(parsed(map_request_value(parsed(value))), parsed(value));
  }
  EXPECT_EQ(map_request_value(parsed("::")), "0::");
}

TEST(MapRequests, OneFlagAloneServesForBoth) {
  const std::vector<std::string> values{"0:1000:10", "u20:2000:1", "g30:3000:1"};
  for (const MapRequests& requests :
       {parse_map_requests(values, {}).value(), parse_map_requests({}, values).value()}) {
    ASSERT_EQ(requests.users.size(), 2U);
    ASSERT_EQ(requests.groups.size(), 2U);
    EXPECT_EQ(requests.users[1].inside, 20U);
    EXPECT_EQ(requests.groups[1].inside, 30U);
  }
  EXPECT_EQ(parse_map_requests({}, values)->users[0].text, "--gidmap 0:1000:10");
  EXPECT_TRUE(parse_map_requests({}, {})->empty());
}

TEST(MapRequests, BothFlagsServeForTheirOwn) {
  const std::vector<std::string> users{"0:1000:10", "u20:2000:1"};
  const std::vector<std::string> groups{"0:5000:10"};
  const MapRequests requests = parse_map_requests(users, groups).value();
  EXPECT_EQ(requests.users.size(), 2U);
  ASSERT_EQ(requests.groups.size(), 1U);
  EXPECT_EQ(requests.groups[0].outside, 5000U);
}

TEST(MapRequests, ARequestForTheOtherKindIsNotIgnored) {
  const std::vector<std::string> plain{"0:1000:10"};
  const std::vector<std::string> for_groups{"g0:1000:10"};
  const std::vector<std::string> for_users{"u0:1000:10"};
  EXPECT_EQ(parse_map_requests(for_groups, plain).error().message,
            "--uidmap g0:1000:10: g keeps it for groups, and there is a --gidmap: write it there");
  EXPECT_EQ(parse_map_requests(plain, for_users).error().message,
            "--gidmap u0:1000:10: u keeps it for users, and there is a --uidmap: write it there");
}

}  // namespace
}  // namespace berth::idmap
