// What the kernel has after each step.
#include <gmock/gmock.h>
#include <linux/netlink.h>

#include "namespaces.h"
#include "net/elements.h"
#include "net/links.h"
#include "net/nf_tables.h"

namespace berth::net {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

std::optional<Link> link(const std::string& name) {
  sys::NetlinkSocket socket = must(sys::NetlinkSocket::open(NETLINK_ROUTE));
  return must(find_link(socket, name));
}

std::vector<Element> elements(const std::string& set) {
  sys::NetlinkSocket socket = must(sys::NetlinkSocket::open(NETLINK_NETFILTER));
  return must(list_elements(socket, kTable, set));
}

class Bridge : public NetTest {};

TEST_F(Bridge, IsMadeOnceWithItsAddresses) {
  const HostChanges changes = must(ensure_bridge(bridge_plan(1)));
  EXPECT_THAT(changes.told, SizeIs(2));  // a new namespace forwards nothing
  const std::optional<Link> made = link("bt-1");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->kind, "bridge");
  EXPECT_TRUE(made->up);
  EXPECT_EQ(NetworkNamespace::run("ip addr show dev bt-1 | grep -q 'inet 10.199.1.1/24 '"), 0);
  EXPECT_EQ(NetworkNamespace::run("ip addr show dev bt-1 | grep -q 'inet6 fd99:1::1/64 '"), 0);
  EXPECT_THAT(must(ensure_bridge(bridge_plan(1))).told, IsEmpty());
  EXPECT_EQ(link("bt-1")->index, made->index);
}

TEST_F(Bridge, AsksForContainersByIpv6FromItsBeginning) {
  must(make_rules(kTable));
  must(ensure_bridge(bridge_plan(1)));
  const NetworkedContainer container(bridge_plan(1), 2);
  // The kernel asks from a link-local address alone, and from none that it still looks for duplicates of.
  EXPECT_EQ(NetworkNamespace::run("ip -6 addr show dev bt-1 scope link | grep inet6 | grep -qv -e tentative"),
            0);
}

TEST_F(Bridge, IsPutRightWhereItLacksSomething) {
  must(ensure_bridge(bridge_plan(1)));
  host().must_run("ip addr flush dev bt-1; ip link set bt-1 down; sysctl -w net.ipv4.ip_forward=0");
  EXPECT_THAT(must(ensure_bridge(bridge_plan(1))).told, SizeIs(1));
  EXPECT_EQ(NetworkNamespace::run("ip addr show dev bt-1 | grep -q 'inet 10.199.1.1/24 '"), 0);
  EXPECT_TRUE(link("bt-1")->up);
}

TEST_F(Bridge, OfAnInternalNetworkNeedsNoForwarding) {
  EXPECT_THAT(must(ensure_bridge(bridge_plan(1, true))).told, IsEmpty());
}

TEST_F(Bridge, DoesNotTakeAnotherInterfaceForItself) {
  host().must_run("ip link add bt-1 type veth peer name other");
  const Result<HostChanges> made = ensure_bridge(bridge_plan(1));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::conflict);
}

TEST_F(Bridge, WithoutIpv6HasNoAddressOfIt) {
  BridgePlan plan = bridge_plan(1);
  plan.gateways.resize(1);
  must(make_rules(kTable));
  must(ensure_bridge(plan));
  const NetworkedContainer container(plan, 2);
  EXPECT_NE(NetworkNamespace::run("ip -6 addr show dev bt-1 | grep -q inet6"), 0);
  EXPECT_NE(
      container.space.in([] { return NetworkNamespace::run("ip -6 addr show dev eth0 | grep -q inet6"); }),
      0);
}

TEST_F(Bridge, GoesOnlyWhenNothingForeignIsAttached) {
  must(make_rules(kTable));
  must(ensure_bridge(bridge_plan(1)));
  host().must_run("ip link add lan0 type veth peer name far && ip link set lan0 master bt-1");
  const Result<> removed = remove_bridge(kTable, bridge_plan(1));
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, Code::conflict);
  EXPECT_THAT(removed.error().message, testing::HasSubstr("lan0"));
  host().must_run("ip link del lan0");
  must(remove_bridge(kTable, bridge_plan(1)));
  EXPECT_FALSE(link("bt-1"));
  for (const char* set : {"bridges", "within", "gateways4", "own_gateway6"})
    EXPECT_THAT(elements(set), IsEmpty());
  must(remove_bridge(kTable, bridge_plan(1)));
  must(remove_rules(kTable));
  must(remove_bridge(kTable, bridge_plan(1)));
}

TEST_F(Bridge, TakesWhatEndedContainersHaveLeftWithIt) {
  must(make_rules(kTable));
  const NetworkedContainer one(bridge_plan(1), 2);
  const NetworkedContainer two(bridge_plan(1), 3);
  must(remove_bridge(kTable, bridge_plan(1)));
  EXPECT_FALSE(link("bt-1"));
  for (const NetworkedContainer* container : {&one, &two})
    EXPECT_FALSE(link(container->plan.attachments.front().link));
}

TEST_F(Bridge, SubnetsInUseAreThoseOfInterfacesAndRoutes) {
  must(ensure_bridge(bridge_plan(1)));
  host().must_run("ip route add 10.50.0.0/16 via 10.199.1.9 && ip route add default via 10.199.1.9");
  const std::vector<Subnet> used = must(subnets_in_use());
  EXPECT_THAT(used, testing::IsSupersetOf({Subnet::parse("10.199.1.0/24").value(),
                                           Subnet::parse("10.50.0.0/16").value(),
                                           Subnet::parse("fd99:1::/64").value()}));
  for (const Subnet& subnet : used) EXPECT_NE(subnet.prefix(), 0U) << subnet.text();
}

class Attachment : public NetTest {
 protected:
  void SetUp() override {
    NetTest::SetUp();
    must(make_rules(kTable));
  }
};

TEST_F(Attachment, GivesTheContainerWhatIsPlanned) {
  const NetworkedContainer container(bridge_plan(1), 2);
  const auto seen = [&](const char* command) {
    return container.space.in([&] { return NetworkNamespace::run(command); });
  };
  EXPECT_EQ(seen("ip addr show dev eth0 | grep -q 'inet 10.199.1.2/24 brd 10.199.1.255 '"), 0);
  EXPECT_EQ(seen("ip addr show dev eth0 | grep -q 'inet6 fd99:1::2/64 '"), 0);
  EXPECT_NE(seen("ip addr show dev eth0 | grep -q tentative.*fd99"), 0);
  EXPECT_EQ(seen("ip link show dev eth0 | grep -q ' 02:be:0a:c7:01:02 '"), 0);
  EXPECT_EQ(seen("ip route | grep -q 'default via 10.199.1.1 dev eth0'"), 0);
  EXPECT_EQ(seen("ip -6 route | grep -q 'default via fd99:1::1 dev eth0'"), 0);
}

TEST_F(Attachment, HasTheNetworksMtu) {
  BridgePlan bridge = bridge_plan(1);
  bridge.mtu = 1400;
  const NetworkedContainer container(bridge, 2);
  EXPECT_EQ(link("bt-1")->mtu, 1400U);
  EXPECT_EQ(link(container.plan.attachments.front().link)->mtu, 1400U);
  EXPECT_EQ(container.space.in([] { return link("eth0"); })->mtu, 1400U);
}

TEST_F(Attachment, ReplacesWhatAnEarlierStartHasLeft) {
  const NetworkedContainer earlier(bridge_plan(1), 2);
  const NetworkedContainer later(bridge_plan(1), 2);
  EXPECT_FALSE(earlier.space.in([] { return link("eth0"); }));
  EXPECT_TRUE(later.space.in([] { return link("eth0"); }));
}

TEST_F(Attachment, ThatFailsLeavesNothing) {
  must(ensure_bridge(bridge_plan(1)));
  NetworkPlan plan = network_plan(bridge_plan(1), 2);
  plan.attachments.front().routes.front().gateway = address("192.0.2.1");
  const NetworkNamespace space;
  const Result<> attached = attach(plan.attachments.front(), space.fd());
  ASSERT_FALSE(attached);
  EXPECT_THAT(attached.error().message, testing::HasSubstr("eth0"));
  EXPECT_FALSE(link(plan.attachments.front().link));
  EXPECT_FALSE(space.in([] { return link("eth0"); }));
}

TEST_F(Attachment, SaysWhichBridgeIsMissing) {
  const NetworkNamespace space;
  const Result<> attached = attach(network_plan(bridge_plan(7), 2).attachments.front(), space.fd());
  ASSERT_FALSE(attached);
  EXPECT_THAT(attached.error().message, testing::HasSubstr("bt-7"));
}

TEST_F(Attachment, EndsWithDetaching) {
  must(ensure_bridge(bridge_plan(1)));
  const NetworkPlan plan = network_plan(bridge_plan(1), 2);
  const NetworkNamespace space;
  must(attach(plan.attachments.front(), space.fd()));
  must(detach(plan.attachments.front()));
  EXPECT_FALSE(link(plan.attachments.front().link));
  must(detach(plan.attachments.front()));
}

}  // namespace
}  // namespace berth::net
