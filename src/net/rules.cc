#include "net/rules.h"

#include <array>
#include <cerrno>

#include <linux/netlink.h>

#include "net/elements.h"
#include "net/nf_tables.h"
#include "net/nft_program.h"

namespace berth::net {

namespace {

// What is `{}` is the table's name.
//
// A process of the host's that connects to 127.0.0.1 does it as 127.0.0.1, and the kernel neither sends such
// a packet out nor takes the answer in, unless route_localnet opens all of the host's loopback to that
// interface. So it is given the gateway's address before anything looks at it, and the answer goes to
// 127.0.0.1 again once all is done: without state, in raw and after NAT. For a container the host is its
// gateway, as it is for other connections from the host.
constexpr std::string_view kSets = R"(
  set bridges { type ifname; comment "networks"; }
  set internal { type ifname; comment "networks with no way out"; }
  set within { type ifname . ifname; comment "from a network to itself"; }
  set gateways4 { type ipv4_addr; }
  set gateways6 { type ipv6_addr; }
  set own_gateway4 { type ifname . ipv4_addr; }
  set own_gateway6 { type ifname . ipv6_addr; }
  set members4 { type ifname . ipv4_addr; comment "containers"; }
  set members6 { type ifname . ipv6_addr; }
  map ports4 { type inet_proto . inet_service : ipv4_addr . inet_service; comment "published on all addresses"; }
  map ports6 { type inet_proto . inet_service : ipv6_addr . inet_service; comment "published on all addresses"; }
  map ports4_at { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; comment "on one address"; }
  map ports6_at { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; comment "on one address"; }
  map loopback4 { type inet_proto . inet_service : ipv4_addr; comment "as whom the host comes from 127.0.0.1"; }
  map loopback6 { type inet_proto . inet_service : ipv6_addr; comment "as whom the host comes from ::1"; }
  map loopback4_at { type ipv4_addr . inet_proto . inet_service : ipv4_addr; }
)";

constexpr std::string_view kChains = R"(
  chain version_1 {
  }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname != @bridges accept
    ip daddr 127.0.0.0/8 drop comment "the host's loopback, whatever route_localnet says"
    ip saddr 127.0.0.0/8 drop
  }
  chain loopback_out {
    type filter hook output priority raw; policy accept;
    oifname != "lo" accept
    ip saddr 127.0.0.1 ip saddr set ip daddr . meta l4proto . th dport map @loopback4_at
    ip saddr 127.0.0.1 ip daddr 127.0.0.0/8 ip saddr set meta l4proto . th dport map @loopback4
    ip6 saddr ::1 ip6 daddr ::1 ip6 saddr set meta l4proto . th dport map @loopback6
  }
  chain published {
    dnat ip to ip daddr . meta l4proto . th dport map @ports4_at
    dnat ip to meta l4proto . th dport map @ports4
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @ports6_at
    dnat ip6 to meta l4proto . th dport map @ports6
  }
  chain from_outside {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr 127.0.0.0/8 accept comment "only the host reaches what is published on its loopback"
    fib daddr type local jump published
  }
  chain from_host {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump published
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    iifname . oifname @within accept
    iifname @bridges fib saddr . iif oif missing drop comment "a forged sender"
    iifname @internal drop
    oifname @internal drop
    ct status dnat accept comment "a published port"
    oifname @bridges drop comment "another network, or what is not published"
  }
  chain to_host {
    type filter hook input priority filter; policy accept;
    iifname != @bridges accept
    ct state established,related accept
    meta l4proto ipv6-icmp accept
    fib saddr . iif oif missing drop comment "a forged sender"
    iifname . ip daddr @own_gateway4 accept
    iifname . ip6 daddr @own_gateway6 accept
    ip daddr @gateways4 drop comment "another network's gateway"
    ip6 daddr @gateways6 drop
    iifname @internal drop
  }
  chain to_outside {
    type nat hook postrouting priority srcnat; policy accept;
    ct status dnat oifname . ip saddr @members4 masquerade comment "back into its network by a published port"
    ct status dnat oifname . ip6 saddr @members6 masquerade
    iifname @bridges oifname != @bridges masquerade
  }
  chain loopback_in {
    type filter hook input priority 200; policy accept;
    iifname != @bridges accept
    ct direction reply ct status dnat ct original ip daddr 127.0.0.0/8 ip daddr set 127.0.0.1
    ct direction reply ct status dnat ct original ip6 daddr ::1 ip6 daddr set ::1
  }
)";

struct Chain {
  std::string_view name;
  uint32_t uses;  // its rules, and the jumps to it
};
constexpr std::array<Chain, 10> kExpected{{{"version_1", 0},
                                           {"guard", 3},
                                           {"loopback_out", 4},
                                           {"published", 6},
                                           {"from_outside", 2},
                                           {"from_host", 1},
                                           {"forward", 7},
                                           {"to_host", 9},
                                           {"to_outside", 3},
                                           {"loopback_in", 3}}};

// What of these is not in the kernel as it should be: to add, and to remove before that.
struct Repair {
  std::vector<Element> wrong;
  std::vector<Element> missing;
};

Result<Repair> compare(sys::NetlinkSocket& socket, const std::string& table,
                       const std::vector<Element>& wanted) {
  Repair repair;
  for (const Element& element : wanted) {
    const std::optional<Element> found = TRY(find_element(socket, table, element));
    if (found && found->value == element.value) continue;
    if (found) repair.wrong.push_back(element);
    repair.missing.push_back(element);
  }
  return repair;
}

}  // namespace

std::string rules_text(const std::string& table) {
  return fmt::format("table inet {0}\ndelete table inet {0}\ntable inet {0} {{{1}{2}}}\n", table, kSets,
                     kChains);
}

Result<bool> rules_are_whole(const std::string& table) {
  sys::NetlinkSocket socket = TRY(sys::NetlinkSocket::open(NETLINK_NETFILTER));
  std::array<std::string_view, kExpected.size()> names;
  for (size_t i = 0; i < names.size(); ++i) names.at(i) = kExpected.at(i).name;
  const std::vector<std::optional<uint32_t>> uses = TRY(count_uses(socket, table, names));
  for (size_t i = 0; i < names.size(); ++i) {
    if (uses.at(i) != kExpected.at(i).uses) return false;
  }
  return true;
}

Result<> make_rules(const std::string& table) {
  TRY_CONTEXT(run_nft(rules_text(table)), "make nftables' table \"{}\"", table);
  return {};
}

Result<> repair_rules(const std::string& table, std::span<const NetworkPlan> running) {
  sys::NetlinkSocket socket = TRY(sys::NetlinkSocket::open(NETLINK_NETFILTER));
  for (const NetworkPlan& plan : running) {
    std::vector<Element> wanted = container_elements(plan);
    for (const AttachmentPlan& attachment : plan.attachments) {
      const std::vector<Element> elements = elements_of(attachment.bridge);
      wanted.insert(wanted.end(), elements.begin(), elements.end());
    }
    const Repair repair = TRY(compare(socket, table, wanted));
    Transaction transaction(table);
    transaction.change(ElementChange::remove, repair.wrong);
    transaction.change(ElementChange::add, repair.missing);
    TRY(transaction.commit(socket));
  }
  return {};
}

Result<> remove_rules(const std::string& table) {
  return run_nft(fmt::format("table inet {0}\ndelete table inet {0}\n", table));
}

}  // namespace berth::net
