// What gets through, from where, and as whom; and what does not.
#include <gmock/gmock.h>

#include "net/connections.h"
#include "talk.h"

namespace berth::net {
namespace {

using testing::Optional;

// Somebody outside is connected to the host: 192.0.2.1 and 2001:db8::1 are the host's, ….2 are theirs. They
// know the way to containers' addresses, as anybody on a network with the host may.
class Traffic : public NetTest {
 protected:
  void SetUp() override {
    NetTest::SetUp();
    const std::string self = fmt::format("/proc/{}/fd/{}", ::getpid(), outside_.fd());
    host().must_run(
        fmt::format("ip link add up0 type veth peer name up0 netns {} && ip link set up0 up && "
                    "ip addr add 192.0.2.1/24 dev up0 && ip addr add 2001:db8::1/64 dev up0 nodad",
                    self));
    outside_.must_run(
        "ip link set up0 up && ip addr add 192.0.2.2/24 dev up0 && ip addr add 2001:db8::2/64 dev up0 nodad "
        "&& "
        "ip route add 10.199.0.0/16 via 192.0.2.1 && ip route add fd99::/16 via 2001:db8::1 && "
        "ip route add 127.9.0.0/16 via 192.0.2.1; sysctl -w net.ipv4.conf.all.route_localnet=1");
    must(make_rules(kTable));
  }
  [[nodiscard]] Call from_outside(const char* to, uint16_t port) const {
    return {outside_, address(to), port};
  }
  [[nodiscard]] Call from_host(const char* to, uint16_t port) const { return {host(), address(to), port}; }
  [[nodiscard]] static Call from(const NetworkedContainer& container, const Address& to, uint16_t port) {
    return {container.space, to, port};
  }
  [[nodiscard]] static bool refused(Call call, const Service& service) {
    call.patience = kShortPatienceMs;
    return !reach(call, service);
  }
  [[nodiscard]] const NetworkNamespace& outside() const { return outside_; }

 private:
  NetworkNamespace outside_;
};

const std::vector<PublishedPort> kWeb{{.host_port = 8080, .container_port = 80}};

TEST_F(Traffic, PublishedPortIsReachedFromOutsideAsOneself) {
  const NetworkedContainer web(bridge_plan(1), 2, kWeb);
  const Service v4(web.space, address("0.0.0.0"), 80);
  EXPECT_THAT(reach(from_outside("192.0.2.1", 8080), v4), Optional(std::string("192.0.2.2")));
}

TEST_F(Traffic, PublishedPortIsReachedByIpv6) {
  const NetworkedContainer web(bridge_plan(1), 2, kWeb);
  const Service v6(web.space, web.v6(), 80);
  EXPECT_THAT(reach(from_outside("2001:db8::1", 8080), v6), Optional(std::string("2001:db8::2")));
  EXPECT_TRUE(reach(from_host("2001:db8::1", 8080), v6));
  EXPECT_TRUE(reach(from_host("::1", 8080), v6));
  EXPECT_TRUE(reach(from(web, address("2001:db8::1"), 8080), v6));
}

TEST_F(Traffic, PublishedPortIsReachedFromTheHostByEachOfItsAddresses) {
  const NetworkedContainer web(bridge_plan(1), 2, kWeb);
  const Service service(web.space, address("0.0.0.0"), 80);
  EXPECT_TRUE(reach(from_host("192.0.2.1", 8080), service));
  EXPECT_TRUE(reach(from_host("10.199.1.1", 8080), service));
  EXPECT_THAT(reach(from_host("127.0.0.1", 8080), service), Optional(std::string("10.199.1.1")));
  EXPECT_TRUE(reach(from_host("127.1.2.3", 8080), service));
}

TEST_F(Traffic, UdpGoesTheSameWays) {
  const NetworkedContainer dns(
      bridge_plan(1), 2, {{.host_port = 5353, .container_port = 53, .count = 2, .protocol = Protocol::udp}});
  const Service first(dns.space, dns.v4(), 53, SOCK_DGRAM);
  const Service second(dns.space, dns.v4(), 54, SOCK_DGRAM);
  const Service v6(dns.space, dns.v6(), 53, SOCK_DGRAM);
  EXPECT_TRUE(reach(from_outside("192.0.2.1", 5353), first));
  EXPECT_TRUE(reach(from_outside("192.0.2.1", 5354), second));
  EXPECT_TRUE(reach(from_outside("2001:db8::1", 5353), v6));
  EXPECT_TRUE(reach(from_host("127.0.0.1", 5353), first));
  EXPECT_TRUE(reach(from_host("::1", 5353), v6));
  EXPECT_TRUE(reach(from(dns, address("192.0.2.1"), 5353), first));
}

const std::vector<PublishedPort> kDns{{.host_port = 5353, .container_port = 53, .protocol = Protocol::udp}};

// Whether the service gets what a client sends that has its socket from before.
bool still_reaches(const sys::UniqueFd& client, const Service& service, int patience = kPatienceMs) {
  // The first gives the error of the one before, which nobody may have taken.
  if (::send(client.get(), "question", 8, 0) != 8 && ::send(client.get(), "question", 8, 0) != 8)
    return false;
  std::array<char, 16> text{};
  return wait_readable(service.fd(), patience) && ::recv(service.fd(), text.data(), text.size(), 0) == 8;
}

TEST_F(Traffic, WhoNeverStopsSendingByUdpReachesTheContainerThatHasThePortNow) {
  must(ensure_bridge(bridge_plan(1)));
  for (const char* host_address : {"192.0.2.1", "2001:db8::1"}) {
    const bool v6 = address(host_address).is_v6();
    const sys::UniqueFd client = connect_client(from_outside(host_address, 5353), SOCK_DGRAM);
    const sys::UniqueFd local = connect_client(from_host(v6 ? "::1" : "127.0.0.1", 5353), SOCK_DGRAM);
    for (const sys::UniqueFd* sender : {&client, &local}) ::send(sender->get(), "question", 8, 0);
    for (const unsigned number : {2U, 3U}) {
      const NetworkedContainer container(bridge_plan(1), number, kDns);
      must(forget_connections_past(container.plan));
      const Service service(container.space, v6 ? container.v6() : container.v4(), 53, SOCK_DGRAM);
      EXPECT_TRUE(still_reaches(client, service)) << host_address << " container " << number;
      EXPECT_TRUE(still_reaches(local, service)) << host_address << " container " << number;
      must(unpublish(container.plan));
      must(forget_connections_of(container.plan));
      for (const sys::UniqueFd* sender : {&client, &local}) ::send(sender->get(), "question", 8, 0);
    }
  }
}

TEST_F(Traffic, WhoNeverStopsSendingByUdpDoesNotReachTheNextContainerWithThatAddress) {
  std::optional<NetworkedContainer> earlier(std::in_place, bridge_plan(1), 2, kDns);
  const sys::UniqueFd client = connect_client(from_outside("192.0.2.1", 5353), SOCK_DGRAM);
  EXPECT_TRUE(still_reaches(client, Service(earlier->space, earlier->v4(), 53, SOCK_DGRAM)));
  must(unpublish(earlier->plan));
  must(forget_connections_of(earlier->plan));
  earlier.reset();
  const NetworkedContainer later(bridge_plan(1), 2);
  EXPECT_FALSE(still_reaches(client, Service(later.space, later.v4(), 53, SOCK_DGRAM), kShortPatienceMs));
}

TEST_F(Traffic, OtherConnectionsByUdpAreNotForgotten) {
  const Service elsewhere(outside(), address("192.0.2.2"), 5353, SOCK_DGRAM);
  EXPECT_TRUE(reach(from_host("192.0.2.2", 5353), elsewhere));
  const auto remembered = [] {
    return NetworkNamespace::run(
        "grep -q 'udp.*dst=192.0.2.2 .*dport=5353' /proc/thread-self/net/nf_conntrack");
  };
  EXPECT_EQ(remembered(), 0);
  const NetworkedContainer container(bridge_plan(1), 2, kDns);
  must(forget_connections_past(container.plan));
  must(forget_connections_of(container.plan));
  EXPECT_EQ(remembered(), 0) << "one to the same port of another host";
}

TEST_F(Traffic, PublishedOnLoopbackIsForTheHostAlone) {
  const NetworkedContainer web(bridge_plan(1), 2,
                               {{.host = address("127.0.0.1"), .host_port = 8080, .container_port = 80},
                                {.host = address("::1"), .host_port = 8080, .container_port = 80}});
  const NetworkedContainer other(bridge_plan(1), 3);
  const Service service(web.space, address("0.0.0.0"), 80);
  const Service v6(web.space, web.v6(), 80);
  EXPECT_TRUE(reach(from_host("127.0.0.1", 8080), service));
  EXPECT_TRUE(reach(from_host("::1", 8080), v6));
  EXPECT_TRUE(refused(from_host("192.0.2.1", 8080), service));
  EXPECT_TRUE(refused(from_outside("192.0.2.1", 8080), service));
  EXPECT_TRUE(refused(from_outside("2001:db8::1", 8080), v6));
  EXPECT_TRUE(refused(from(other, address("10.199.1.1"), 8080), service));
}

// Sent to the host's door with a destination that no neighbour is to have.
TEST_F(Traffic, PublishedOnLoopbackIsNotReachedByRoutingLoopbackAddressesToTheHost) {
  const NetworkedContainer web(bridge_plan(1), 2,
                               {{.host = address("127.9.0.1"), .host_port = 8080, .container_port = 80}});
  const Service service(web.space, address("0.0.0.0"), 80);
  EXPECT_TRUE(reach(from_host("127.9.0.1", 8080), service));
  host().must_run("sysctl -w net.ipv4.conf.all.route_localnet=1");
  EXPECT_TRUE(refused(from_outside("127.9.0.1", 8080), service));
}

TEST_F(Traffic, TwoContainersShareAPortOnDifferentLoopbackAddresses) {
  const NetworkedContainer one(bridge_plan(1), 2,
                               {{.host = address("127.0.0.1"), .host_port = 8080, .container_port = 80}});
  const NetworkedContainer two(bridge_plan(2), 2,
                               {{.host = address("127.0.0.2"), .host_port = 8080, .container_port = 80}});
  const Service first(one.space, address("0.0.0.0"), 80);
  const Service second(two.space, address("0.0.0.0"), 80);
  EXPECT_TRUE(reach(from_host("127.0.0.1", 8080), first));
  EXPECT_TRUE(reach(from_host("127.0.0.2", 8080), second));
}

TEST_F(Traffic, AnUnpublishedLoopbackServiceStaysTheHosts) {
  const NetworkedContainer web(bridge_plan(1), 2, kWeb);
  const Service own(host(), address("127.0.0.1"), 9090);
  EXPECT_THAT(reach(from_host("127.0.0.1", 9090), own), Optional(std::string("127.0.0.1")));
}

TEST_F(Traffic, ContainersReachPublishedPortsByTheHostsAddress) {
  const NetworkedContainer web(bridge_plan(1), 2, kWeb);
  const NetworkedContainer neighbour(bridge_plan(1), 3);
  const NetworkedContainer stranger(bridge_plan(2), 2);
  const Service service(web.space, address("0.0.0.0"), 80);
  for (const char* bridged : {"1", "0"}) {
    // Where br_netfilter is loaded, what is bridged goes through the rules as well.
    NetworkNamespace::run(fmt::format("sysctl -w net.bridge.bridge-nf-call-iptables={}", bridged));
    EXPECT_TRUE(reach(from(web, address("192.0.2.1"), 8080), service)) << "itself, " << bridged;
    EXPECT_TRUE(reach(from(neighbour, address("192.0.2.1"), 8080), service)) << bridged;
    EXPECT_TRUE(reach(from(neighbour, address("10.199.1.1"), 8080), service)) << bridged;
    EXPECT_TRUE(reach(from(stranger, address("192.0.2.1"), 8080), service)) << bridged;
  }
}

TEST_F(Traffic, ContainersOfANetworkReachEachOther) {
  const NetworkedContainer one(bridge_plan(1), 2);
  const NetworkedContainer two(bridge_plan(1), 3);
  const Service v4(two.space, two.v4(), 80);
  const Service v6(two.space, two.v6(), 80);
  for (const char* bridged : {"1", "0"}) {
    NetworkNamespace::run(fmt::format("sysctl -w net.bridge.bridge-nf-call-iptables={}", bridged));
    EXPECT_THAT(reach(from(one, two.v4(), 80), v4), Optional(one.v4().text()));
    EXPECT_THAT(reach(from(one, two.v6(), 80), v6), Optional(one.v6().text()));
  }
}

TEST_F(Traffic, NetworksAreApart) {
  const NetworkedContainer one(bridge_plan(1), 2);
  const NetworkedContainer two(bridge_plan(2), 2);
  const Service v4(two.space, two.v4(), 80);
  const Service v6(two.space, two.v6(), 80);
  const Service udp(two.space, two.v4(), 80, SOCK_DGRAM);
  EXPECT_TRUE(refused(from(one, two.v4(), 80), v4));
  EXPECT_TRUE(refused(from(one, two.v6(), 80), v6));
  EXPECT_TRUE(refused(from(one, two.v4(), 80), udp));
  EXPECT_TRUE(reach(from_host(two.v4().text().c_str(), 80), v4));  // the host itself reaches all
}

TEST_F(Traffic, WhatIsNotPublishedIsNotReachedFromOutside) {
  const NetworkedContainer web(bridge_plan(1), 2, kWeb);
  const Service v4(web.space, address("0.0.0.0"), 80);
  const Service other(web.space, address("0.0.0.0"), 81);
  const Service v6(web.space, web.v6(), 80);
  EXPECT_TRUE(refused(from_outside("10.199.1.2", 81), other));
  EXPECT_TRUE(refused(from_outside("10.199.1.2", 80), v4));  // by its own address, past the publishing
  EXPECT_TRUE(refused(from_outside("fd99:1::2", 80), v6));
}

TEST_F(Traffic, ContainersGoOutAsTheHost) {
  const NetworkedContainer one(bridge_plan(1), 2);
  const Service v4(outside(), address("0.0.0.0"), 80);
  const Service v6(outside(), address("2001:db8::2"), 80);
  EXPECT_THAT(reach(from(one, address("192.0.2.2"), 80), v4), Optional(std::string("192.0.2.1")));
  EXPECT_THAT(reach(from(one, address("2001:db8::2"), 80), v6), Optional(std::string("2001:db8::1")));
}

TEST_F(Traffic, AnInternalNetworkHasNoWayOutAndNoneIn) {
  const NetworkedContainer inner(bridge_plan(1, true), 2, kWeb);
  const NetworkedContainer peer(bridge_plan(1, true), 3);
  const NetworkedContainer web(bridge_plan(2), 2, {{.host_port = 8081, .container_port = 80}});
  // Its root makes itself the routes that it was not given.
  inner.space.must_run("ip route add default via 10.199.1.1 && ip route add default via fd99:1::1");
  const Service outer(outside(), address("0.0.0.0"), 80);
  const Service outer6(outside(), address("2001:db8::2"), 80);
  const Service published(web.space, address("0.0.0.0"), 80);
  const Service own(inner.space, address("0.0.0.0"), 80);
  const Service hosts(host(), address("0.0.0.0"), 22);
  EXPECT_TRUE(refused(from(inner, address("192.0.2.2"), 80), outer));
  EXPECT_TRUE(refused(from(inner, address("2001:db8::2"), 80), outer6));
  EXPECT_TRUE(refused(from(inner, address("192.0.2.1"), 8081), published));
  EXPECT_TRUE(refused(from(inner, address("10.199.1.1"), 8081), published));
  EXPECT_TRUE(refused(from(inner, address("192.0.2.1"), 22), hosts));
  EXPECT_TRUE(refused(from(inner, address("10.199.2.1"), 22), hosts));
  EXPECT_TRUE(refused(from_outside("192.0.2.1", 8080), own));
  EXPECT_TRUE(refused(from(web, address("192.0.2.1"), 8080), own));
  EXPECT_TRUE(reach(from(peer, inner.v4(), 80), own));
  EXPECT_TRUE(reach(from(inner, address("10.199.1.1"), 22), hosts));  // names are resolved there
  EXPECT_TRUE(reach(from_host("127.0.0.1", 8080), own));
}

TEST_F(Traffic, TheHostsLoopbackIsOutOfReach) {
  const NetworkedContainer one(bridge_plan(1), 2, kWeb);
  const Service secret(host(), address("127.0.0.1"), 6379);
  const Service secret6(host(), address("::1"), 6379);
  const Service datagrams(host(), address("127.0.0.1"), 6379, SOCK_DGRAM);
  const auto attack = [&] {
    EXPECT_TRUE(refused(from(one, address("10.199.1.1"), 6379), secret));
    EXPECT_TRUE(refused(from(one, address("192.0.2.1"), 6379), secret));
    EXPECT_TRUE(refused(from(one, address("127.0.0.1"), 6379), secret));
    EXPECT_TRUE(refused({one.space, address("127.0.0.1"), 6379, one.v4()}, secret));
    EXPECT_TRUE(refused({one.space, address("127.0.0.1"), 6379, one.v4()}, datagrams));
    EXPECT_TRUE(refused({one.space, address("127.0.0.1"), 6379, address("127.0.0.1")}, datagrams));
    EXPECT_TRUE(refused({one.space, address("127.0.0.1"), 8080, one.v4()}, secret));
    EXPECT_TRUE(refused({one.space, address("::1"), 6379, one.v6()}, secret6));
  };
  attack();
  // Loopback addresses are routed to the host; its addresses, and loopback ones, are taken as the container's
  // own.
  one.space.must_run(
      "sysctl -w net.ipv4.conf.all.route_localnet=1; ip link set lo down; "
      "ip route add 127.0.0.0/8 via 10.199.1.1 dev eth0; ip -6 route add ::1 via fd99:1::1 dev eth0; "
      "ip route del local 127.0.0.1 table local; ip route del local 127.0.0.0/8 table local; "
      "ip -6 route del local ::1 table local; true");
  attack();
  // And the host is as careless as some programs leave it.
  host().must_run(
      "sysctl -w net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.all.accept_local=1 "
      "net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.bt-1.rp_filter=0");
  attack();
}

TEST_F(Traffic, ForgedSendersGetNowhere) {
  const NetworkedContainer one(bridge_plan(1), 2);
  const NetworkedContainer two(bridge_plan(2), 2);
  const Service outer(outside(), address("0.0.0.0"), 53, SOCK_DGRAM);
  const Service hosts(host(), address("0.0.0.0"), 53, SOCK_DGRAM);
  host().must_run(
      "sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.bt-1.rp_filter=0 "
      "net.ipv4.conf.default.rp_filter=0");
  one.space.must_run("ip addr add 10.199.2.2/32 dev lo && ip addr add 192.0.2.2/32 dev lo");
  const auto heard = [&](const Call& call, const Service& service) {
    const sys::UniqueFd client = connect_client(call, SOCK_DGRAM);
    EXPECT_EQ(::send(client.get(), "x", 1, 0), 1);
    return wait_readable(service.fd(), kShortPatienceMs);
  };
  EXPECT_FALSE(heard({one.space, address("192.0.2.1"), 53, address("10.199.2.2")}, hosts));
  EXPECT_FALSE(heard({one.space, address("10.199.1.1"), 53, address("192.0.2.2")}, hosts));
  one.space.must_run("ip addr del 192.0.2.2/32 dev lo");
  EXPECT_FALSE(heard({one.space, address("192.0.2.2"), 53, address("10.199.2.2")}, outer));
  EXPECT_TRUE(heard({one.space, address("192.0.2.2"), 53, one.v4()}, outer));
}

TEST_F(Traffic, AnotherNetworksGatewayIsNotReached) {
  const NetworkedContainer one(bridge_plan(1), 2);
  const NetworkedContainer two(bridge_plan(2), 2);
  const Service names(host(), address("10.199.2.1"), 53, SOCK_DGRAM);
  const Service names6(host(), address("fd99:2::1"), 53, SOCK_DGRAM);
  EXPECT_TRUE(refused(from(one, address("10.199.2.1"), 53), names));
  EXPECT_TRUE(refused(from(one, address("fd99:2::1"), 53), names6));
  EXPECT_TRUE(reach(from(two, address("10.199.2.1"), 53), names));
  EXPECT_TRUE(reach(from(two, address("fd99:2::1"), 53), names6));
}

TEST_F(Traffic, HostServicesOnAllAddressesAreReachedByTheGateway) {
  const NetworkedContainer one(bridge_plan(1), 2);
  const Service service(host(), address("0.0.0.0"), 5432);
  EXPECT_THAT(reach(from(one, address("10.199.1.1"), 5432), service), Optional(one.v4().text()));
  EXPECT_TRUE(reach(from(one, address("192.0.2.1"), 5432), service));
}

TEST_F(Traffic, AfterAFlushAndARepairAllIsAsBefore) {
  const NetworkedContainer web(bridge_plan(1), 2, kWeb);
  const NetworkedContainer other(bridge_plan(2), 2);
  const Service service(web.space, address("0.0.0.0"), 80);
  host().must_run("nft flush ruleset");
  // Nothing of the host's is open that was not before.
  const Service secret(host(), address("127.0.0.1"), 6379);
  EXPECT_TRUE(refused({web.space, address("127.0.0.1"), 6379, web.v4()}, secret));
  must(make_rules(kTable));
  must(repair_rules(kTable, std::vector<NetworkPlan>{web.plan, other.plan}));
  EXPECT_TRUE(reach(from_outside("192.0.2.1", 8080), service));
  EXPECT_TRUE(reach(from_host("127.0.0.1", 8080), service));
  EXPECT_TRUE(refused(from(other, web.v4(), 80), service));
}

TEST_F(Traffic, AConnectionOutlivesARepair) {
  const NetworkedContainer web(bridge_plan(1), 2, kWeb);
  const Service service(web.space, address("0.0.0.0"), 80);
  for (const Call& call : {from_outside("192.0.2.1", 8080), from_host("127.0.0.1", 8080)}) {
    const sys::UniqueFd client = connect_client(call, SOCK_STREAM);
    ASSERT_TRUE(client);
    const sys::UniqueFd accepted(::accept4(service.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    must(make_rules(kTable));
    must(repair_rules(kTable, std::vector<NetworkPlan>{web.plan}));
    ASSERT_EQ(::send(client.get(), "x", 1, MSG_NOSIGNAL), 1);
    EXPECT_TRUE(wait_readable(accepted.get(), kPatienceMs));
  }
}

}  // namespace
}  // namespace berth::net
