#include "ledger/subnet_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::ledger {
namespace {

net::Subnet subnet(std::string_view text) {
  return net::Subnet::parse(text).value();
}

std::string choose(std::vector<SubnetPool> pools, const std::vector<std::string>& taken) {
  std::vector<net::Subnet> subnets;
  for (const std::string& text : taken) subnets.push_back(subnet(text));
  const Result<net::Subnet> chosen = choose_subnet(pools, subnets);
  return chosen ? chosen->text() : chosen.error().message;
}

TEST(SubnetChoice, TakesTheFirstFreePart) {
  const SubnetPool pool{subnet("10.80.0.0/14"), 24};
  EXPECT_EQ(choose({pool}, {}), "10.80.0.0/24");
  EXPECT_EQ(choose({pool}, {"192.168.0.0/16", "10.80.0.0/24"}), "10.80.1.0/24");
  EXPECT_EQ(choose({pool}, {"10.80.0.0/16"}), "10.81.0.0/24");
  EXPECT_EQ(choose({pool}, {"10.80.0.128/25", "10.80.1.0/30"}), "10.80.2.0/24");
  EXPECT_EQ(choose({pool}, {"10.80.1.0/24"}), "10.80.0.0/24");
}

TEST(SubnetChoice, GoesOnWithTheNextPool) {
  const SubnetPool first{subnet("10.80.0.0/24"), 24};
  const SubnetPool second{subnet("10.90.0.0/16"), 24};
  EXPECT_EQ(choose({first, second}, {"10.80.0.0/24"}), "10.90.0.0/24");
  EXPECT_EQ(choose({first, second}, {"10.0.0.0/10", "10.80.0.0/14"}), "10.90.0.0/24");
  EXPECT_THAT(choose({first, second}, {"10.0.0.0/8"}),
              testing::HasSubstr("10.80.0.0/24 in parts of /24, 10.90.0.0/16 in parts of /24"));
  EXPECT_THAT(choose({}, {}), testing::HasSubstr("no pool at all"));
}

TEST(SubnetChoice, StepsOverWhatIsTakenInIpv6AsWell) {
  const SubnetPool pool{subnet("fd00::/8"), 64};
  EXPECT_EQ(choose({pool}, {"fd00::/64", "fd00:0:0:1::/64"}), "fd00:0:0:2::/64");
  EXPECT_EQ(choose({pool}, {"fd00::/16"}), "fd01::/64");
  const SubnetPool narrow{subnet("fd00::/112"), 120};
  EXPECT_EQ(choose({narrow}, {"fd00::/119"}), "fd00::200/120");
}

}  // namespace
}  // namespace berth::ledger
