#include "net/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::net {
namespace {

Address address(std::string_view text) {
  const auto parsed = Address::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Address());
}

Subnet subnet(std::string_view text) {
  const auto parsed = Subnet::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Subnet());
}

TEST(Address, IsReadAndWritten) {
  for (const char* text : {"0.0.0.0", "10.88.0.2", "255.255.255.255", "::", "::1", "fd00::2",
                           "2001:db8:1:2:3:4:5:6", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    EXPECT_EQ(address(text).text(), text);
    EXPECT_EQ(Address::from_bytes(address(text).bytes()), address(text));
    EXPECT_EQ(Address::from_key(address(text).key(), address(text).is_v6()), address(text));
  }
}

TEST(Address, IsRefusedWhereItIsNone) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view text :
       {""sv, "10"sv, "10.88.0"sv, "10.88.0.256"sv, "10.88.0.02"sv, "10.88.0.2 "sv, " 10.88.0.2"sv,
        "10.88.0.2\n"sv, "10.88.0.2\0"sv, "0x0a.1.1.1"sv, "fe80::1%eth0"sv, ":::"sv, "::ffff:10.88.0.2"sv,
        "::ffff:0:1"sv, "1::2::3"sv, "12345::"sv, "10.88.0.2/24"sv})
    EXPECT_FALSE(Address::parse(text)) << text;
  EXPECT_FALSE(Address::parse(std::string(1 << 20, '1')));
  EXPECT_FALSE(Address::from_bytes("abc"));
  EXPECT_FALSE(Address::from_key("00000000000000000000000100000000", false));  // beyond IPv4
  EXPECT_FALSE(Address::from_key("0000000000000000000000000000000g", true));
  EXPECT_FALSE(Address::from_key("", false));
}

TEST(Address, CountsWithinItsFamily) {
  EXPECT_EQ(address("10.0.0.255").plus(1), address("10.0.1.0"));
  EXPECT_EQ(address("10.0.1.0").minus(1), address("10.0.0.255"));
  EXPECT_FALSE(address("255.255.255.255").plus(1));
  EXPECT_FALSE(address("255.255.255.255").plus(~uint64_t{0}));
  EXPECT_FALSE(address("0.0.0.0").minus(1));
  EXPECT_EQ(address("fd00::ffff:ffff:ffff:ffff").plus(1), address("fd00:0:0:1::"));
  EXPECT_EQ(address("fd00:0:0:1::").minus(1), address("fd00::ffff:ffff:ffff:ffff"));
  EXPECT_FALSE(address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").plus(1));
  EXPECT_FALSE(address("::").minus(1));
}

TEST(Address, KnowsItsKind) {
  EXPECT_TRUE(address("127.8.0.1").is_loopback());
  EXPECT_TRUE(address("::1").is_loopback());
  EXPECT_FALSE(address("0.0.0.1").is_loopback());
  EXPECT_TRUE(address("224.0.0.1").is_multicast());
  EXPECT_TRUE(address("ff02::1").is_multicast());
  EXPECT_TRUE(address("169.254.1.1").is_link_local());
  EXPECT_TRUE(address("febf::1").is_link_local());
  EXPECT_FALSE(address("fec0::1").is_link_local());
  EXPECT_TRUE(address("::").is_unspecified());
}

TEST(Subnet, IsReadAndNormalized) {
  EXPECT_EQ(subnet("10.88.3.4/16").text(), "10.88.0.0/16");
  EXPECT_EQ(subnet("fd00:1:2:3:4::/64").text(), "fd00:1:2:3::/64");
  EXPECT_EQ(subnet("10.0.0.0/8").last(), address("10.255.255.255"));
  EXPECT_EQ(subnet("fd00::/7").last(), address("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_EQ(subnet("::/0").last(), address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_EQ(subnet("0.0.0.0/0").last(), address("255.255.255.255"));
  EXPECT_EQ(subnet("1.2.3.4/32").last(), address("1.2.3.4"));
  for (const char* text : {"", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8",
                           "10.0.0.0/08", "10.0.0.0/8/8", "fd00::/129", "10.0.0.0/4294967304"})
    EXPECT_FALSE(Subnet::parse(text)) << text;
}

TEST(Subnet, DoesNotEndAmongIpv4sAddressesInDisguise) {
  for (const char* text : {"::/80", "::fffe:0:0/95", "::ffff:0:0/96"})
    EXPECT_FALSE(Subnet::parse(text)) << text;
  EXPECT_TRUE(Subnet::parse("::/79"));
  EXPECT_TRUE(Subnet::parse("::/81"));
}

TEST(Subnet, KnowsWhatIsInIt) {
  EXPECT_TRUE(subnet("10.0.0.0/8").contains(address("10.255.255.255")));
  EXPECT_FALSE(subnet("10.0.0.0/8").contains(address("11.0.0.0")));
  EXPECT_FALSE(subnet("0.0.0.0/0").contains(address("::1")));
  EXPECT_TRUE(subnet("10.0.0.0/8").contains(subnet("10.3.0.0/16")));
  EXPECT_FALSE(subnet("10.3.0.0/16").contains(subnet("10.0.0.0/8")));
  EXPECT_TRUE(subnet("10.3.0.0/16").overlaps(subnet("10.0.0.0/8")));
  EXPECT_FALSE(subnet("10.3.0.0/16").overlaps(subnet("10.4.0.0/16")));
  EXPECT_FALSE(subnet("::/0").overlaps(subnet("0.0.0.0/0")));
}

TEST(Subnet, LeavesOutWhatNoInterfaceCanHave) {
  EXPECT_EQ(subnet("10.0.0.0/24").first_usable(), address("10.0.0.1"));
  EXPECT_EQ(subnet("10.0.0.0/24").last_usable(), address("10.0.0.254"));
  EXPECT_EQ(subnet("10.0.0.4/31").first_usable(), address("10.0.0.4"));
  EXPECT_EQ(subnet("10.0.0.4/31").last_usable(), address("10.0.0.5"));
  EXPECT_EQ(subnet("10.0.0.4/32").last_usable(), address("10.0.0.4"));
  EXPECT_EQ(subnet("fd00::/64").first_usable(), address("fd00::1"));
  EXPECT_EQ(subnet("fd00::/64").last_usable(), address("fd00::ffff:ffff:ffff:ffff"));
  EXPECT_FALSE(subnet("10.0.0.0/24").is_usable(address("10.0.0.255")));
  EXPECT_FALSE(subnet("10.0.0.0/24").is_usable(address("10.0.1.1")));
}

TEST(Subnet, IsDividedIntoParts) {
  EXPECT_EQ(subnet("10.80.0.0/14").part(24, 0), subnet("10.80.0.0/24"));
  EXPECT_EQ(subnet("10.80.0.0/14").part(24, 1023), subnet("10.83.255.0/24"));
  EXPECT_FALSE(subnet("10.80.0.0/14").part(24, 1024));
  EXPECT_FALSE(subnet("10.80.0.0/14").part(8, 0));
  EXPECT_FALSE(subnet("10.80.0.0/14").part(33, 0));
  EXPECT_EQ(subnet("10.0.0.0/24").part(24, 0), subnet("10.0.0.0/24"));
  EXPECT_FALSE(subnet("10.0.0.0/24").part(24, 1));
  EXPECT_EQ(subnet("fd00::/8").part(64, 0x1234), subnet("fd00:0:0:1234::/64"));
  EXPECT_EQ(subnet("fd00::/64").part(128, 7), subnet("fd00::7/128"));
  EXPECT_EQ(subnet("::/0").part(128, ~uint64_t{0}), subnet("::ffff:ffff:ffff:ffff/128"));
  EXPECT_EQ(subnet("0.0.0.0/0").part(32, 0xFFFFFFFF), subnet("255.255.255.255/32"));
}

TEST(FirstFree, PassesOverWhatIsTaken) {
  const auto from = address("10.0.0.2");
  const auto last = address("10.0.0.4");
  EXPECT_EQ(first_free(from, last, {}), from);
  EXPECT_EQ(first_free(from, last, {address("10.0.0.1"), from, address("10.0.0.3")}), last);
  EXPECT_EQ(first_free(from, last, {from, last}), address("10.0.0.3"));
  EXPECT_FALSE(first_free(from, last, {from, address("10.0.0.3"), last}));
  const auto end = address("255.255.255.255");
  EXPECT_FALSE(first_free(end, end, {end}));
}

TEST(MacAddress, IsReadAndWritten) {
  EXPECT_EQ(MacAddress::parse("02:42:0A:58:00:fF")->text(), "02:42:0a:58:00:ff");
  for (const char* text :
       {"", "02:42:0a:58:00", "02-42-0a-58-00-02", "02:42:0a:58:00:0g", "00:00:00:00:00:00",
        "03:42:0a:58:00:02", "ff:ff:ff:ff:ff:ff", "02:42:0a:58:00:022", "02:42:0a:58:00:2 "})
    EXPECT_FALSE(MacAddress::parse(text)) << text;
}

TEST(MacAddress, GoesWithAnAddress) {
  const auto one = MacAddress::for_address(address("10.88.0.2"));
  EXPECT_EQ(one.text(), "02:be:0a:58:00:02");
  EXPECT_NE(one, MacAddress::for_address(address("10.88.0.3")));
  EXPECT_TRUE(MacAddress::parse(MacAddress::for_address(address("fd00::9:ffff:ffff")).text()));
}

}  // namespace
}  // namespace berth::net
