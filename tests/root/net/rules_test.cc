// The table, its elements, and what is done where somebody else has changed them.
#include <gmock/gmock.h>
#include <linux/netlink.h>

#include "namespaces.h"
#include "net/elements.h"
#include "net/foreign_rules.h"
#include "net/nf_tables.h"

namespace berth::net {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

std::vector<Element> elements(const std::string& set) {
  sys::NetlinkSocket socket = must(sys::NetlinkSocket::open(NETLINK_NETFILTER));
  return must(list_elements(socket, kTable, set));
}

class Rules : public NetTest {
 protected:
  void SetUp() override {
    NetTest::SetUp();
    must(make_rules(kTable));
  }
};

TEST_F(Rules, AreWholeOnceMade) {
  EXPECT_TRUE(must(rules_are_whole(kTable)));
  must(make_rules(kTable));
  EXPECT_TRUE(must(rules_are_whole(kTable)));
}

TEST_F(Rules, AreMissedWhateverPartOfThemIsGone) {
  for (const char* change : {"flush ruleset", "flush table inet berth-test", "delete table inet berth-test",
                             "flush chain inet berth-test forward", "delete chain inet berth-test version_1",
                             "add rule inet berth-test to_host accept"}) {
    must(make_rules(kTable));
    host().must_run(fmt::format("nft {}", change));
    EXPECT_FALSE(must(rules_are_whole(kTable))) << change;
  }
}

TEST_F(Rules, OfTwoStoresAreApart) {
  must(make_rules("berth-other"));
  must(publish(network_plan(bridge_plan(1), 2, {{.host_port = 8080, .container_port = 80}})));
  must(remove_rules("berth-other"));
  EXPECT_TRUE(must(rules_are_whole(kTable)));
  EXPECT_THAT(elements("ports4"), SizeIs(1));
}

TEST_F(Rules, TakeAContainersPortsAndGiveThemUp) {
  NetworkPlan plan = network_plan(
      bridge_plan(1), 2,
      {{.host_port = 8080, .container_port = 80},
       {.host = address("127.0.0.1"), .host_port = 9000, .container_port = 9000, .count = 3},
       {.host = address("::1"), .host_port = 53, .container_port = 53, .protocol = Protocol::udp}});
  must(publish(plan));
  EXPECT_THAT(elements("ports4"), SizeIs(1));
  EXPECT_THAT(elements("ports6"), SizeIs(1));
  EXPECT_THAT(elements("ports4_at"), SizeIs(3));
  EXPECT_THAT(elements("ports6_at"), SizeIs(1));
  EXPECT_THAT(elements("loopback4"), SizeIs(1));
  EXPECT_THAT(elements("loopback4_at"), SizeIs(3));
  EXPECT_THAT(elements("loopback6"), SizeIs(2));
  EXPECT_EQ(elements("ports4").front().comment, plan.container.substr(0, 12));
  must(publish(plan));  // a second time is no error
  must(unpublish(plan));
  for (const char* set :
       {"ports4", "ports6", "ports4_at", "ports6_at", "loopback4", "loopback4_at", "loopback6"})
    EXPECT_THAT(elements(set), IsEmpty()) << set;
  EXPECT_THAT(elements("bridges"), SizeIs(1));
  must(unpublish(plan));
}

TEST_F(Rules, TakeTenThousandPortsAtOnce) {
  const NetworkPlan plan =
      network_plan(bridge_plan(1), 2, {{.host_port = 10000, .container_port = 10000, .count = 10000}});
  ASSERT_TRUE(check(plan));
  must(publish(plan));
  EXPECT_THAT(elements("ports6"), SizeIs(10000));
  must(unpublish(plan));
  EXPECT_THAT(elements("ports6"), IsEmpty());
}

TEST_F(Rules, ReplaceWhatADeadContainerHasLeftAndKeepItsSuccessors) {
  const std::vector<PublishedPort> ports{{.host_port = 8080, .container_port = 80}};
  const NetworkPlan dead = network_plan(bridge_plan(1), 2, ports);
  const NetworkPlan living = network_plan(bridge_plan(1), 3, ports);
  must(publish(dead));
  must(publish(living));
  EXPECT_EQ(elements("ports4").front().comment, living.container.substr(0, 12));
  must(unpublish(dead));
  EXPECT_THAT(elements("ports4"), SizeIs(1));
  must(unpublish(living));
  EXPECT_THAT(elements("ports4"), IsEmpty());
}

TEST_F(Rules, AreSaidToBeGoneWhereTheyAre) {
  const NetworkPlan plan = network_plan(bridge_plan(1), 2, {{.host_port = 8080, .container_port = 80}});
  must(remove_rules(kTable));
  must(remove_rules(kTable));
  const Result<> published = publish(plan);
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().err, ENOENT);
  must(unpublish(plan));
}

TEST_F(Rules, AreRepairedWithAllElementsOfTheRunning) {
  const NetworkPlan one = network_plan(bridge_plan(1), 2, {{.host_port = 8080, .container_port = 80}});
  const NetworkPlan two = network_plan(bridge_plan(2, true), 3, {{.host_port = 8081, .container_port = 80}});
  const std::vector<NetworkPlan> running{one, two};
  must(publish(one));
  must(publish(two));
  const std::vector<Element> before = elements("ports4");
  host().must_run("nft flush ruleset");
  must(make_rules(kTable));
  must(repair_rules(kTable, running));
  EXPECT_TRUE(must(rules_are_whole(kTable)));
  EXPECT_THAT(elements("ports4"), testing::UnorderedElementsAreArray(before));
  EXPECT_THAT(elements("bridges"), SizeIs(2));
  EXPECT_THAT(elements("internal"), SizeIs(1));
  host().must_run(
      "nft 'flush map inet berth-test ports4'; nft 'delete element inet berth-test bridges { bt-1 }'");
  must(repair_rules(kTable, running));
  EXPECT_THAT(elements("ports4"), SizeIs(2));
  EXPECT_THAT(elements("bridges"), SizeIs(2));
}

TEST_F(Rules, PortsAreKeptForTheContainer) {
  const NetworkPlan plan =
      network_plan(bridge_plan(1), 2, {{.host_port = 8080, .container_port = 80, .count = 2}});
  {
    const std::vector<sys::UniqueFd> kept = must(reserve_ports(plan));
    EXPECT_THAT(kept, SizeIs(4));
    const Result<std::vector<sys::UniqueFd>> again = reserve_ports(plan);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::conflict);
    EXPECT_THAT(again.error().message, testing::HasSubstr("port 0.0.0.0:8080/tcp of the host is in use"));
    const NetworkPlan udp = network_plan(
        bridge_plan(1), 2, {{.host_port = 8080, .container_port = 80, .protocol = Protocol::udp}});
    EXPECT_TRUE(reserve_ports(udp));
  }
  EXPECT_TRUE(reserve_ports(plan));
  NetworkPlan elsewhere = plan;
  elsewhere.attachments.front().ports.front().host = address("192.0.2.9");
  const Result<std::vector<sys::UniqueFd>> none = reserve_ports(elsewhere);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::usage);
}

TEST_F(Rules, FreePortsComeInARow) {
  const uint16_t port = must(free_port(std::nullopt, Protocol::tcp, 5));
  const NetworkPlan plan =
      network_plan(bridge_plan(1), 2, {{.host_port = port, .container_port = 80, .count = 5}});
  EXPECT_TRUE(reserve_ports(plan));
  EXPECT_NE(must(free_port(address("::1"), Protocol::udp)), 0);
}

class OtherFirewall : public NetTest {
 protected:
  // What is said of two bridges, in one text.
  static std::string said() {
    const std::vector<BridgePlan> bridges{bridge_plan(1), bridge_plan(2, true)};
    return fmt::format("{}", fmt::join(must(what_stops_forwarding(bridges)), "\n"));
  }
};

TEST_F(OtherFirewall, ThatLetsEverythingPassIsNotSpokenOf) {
  must(make_rules(kTable));
  host().must_run(
      "nft 'table ip filter { chain FORWARD { type filter hook forward priority 0; policy accept; }; "
      "chain INPUT { type filter hook input priority 0; policy drop; }; }'");
  EXPECT_EQ(said(), "");
}

TEST_F(OtherFirewall, ThatDropsIsToldOfUntilItKnowsTheBridge) {
  host().must_run(
      "nft 'table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }'");
  EXPECT_THAT(said(), testing::AllOf(testing::HasSubstr("ip filter"),
                                     testing::HasSubstr("iptables -I FORWARD -i bt-1 -j ACCEPT"),
                                     testing::Not(testing::HasSubstr("bt-2"))));
  host().must_run("nft 'table ip filter { chain DOCKER-USER { }; chain FORWARD { jump DOCKER-USER; }; }'");
  EXPECT_THAT(said(), testing::HasSubstr("iptables -I DOCKER-USER -i bt-1 -j ACCEPT"));
  const HostChanges changes = must(ensure_bridge(bridge_plan(1)));
  EXPECT_THAT(changes.told, testing::Contains(testing::HasSubstr("DOCKER-USER")));
  EXPECT_THAT(must(ensure_bridge(bridge_plan(1))).told, IsEmpty()) << "it is said once";
  host().must_run("nft insert rule ip filter DOCKER-USER iifname bt-1 counter accept");
  EXPECT_EQ(said(), "");
}

TEST_F(OtherFirewall, MayRejectWithItsLastRule) {
  host().must_run(
      "nft 'table inet firewalld { chain filter_FORWARD { type filter hook forward priority 10; "
      "ct state established,related accept; iifname \"lo\" accept; counter reject with icmpx "
      "admin-prohibited; }; }'");
  EXPECT_THAT(said(), testing::HasSubstr("firewall-cmd --permanent --zone=trusted --add-interface=bt-1"));
  host().must_run("nft insert rule inet firewalld filter_FORWARD iifname bt-1 accept");
  EXPECT_EQ(said(), "");
  host().must_run("nft 'table ip6 mine { chain f { type filter hook forward priority 10; drop; }; }'");
  EXPECT_THAT(said(), testing::HasSubstr("nft insert rule ip6 mine f iifname bt-1 accept"));
}

}  // namespace
}  // namespace berth::net
