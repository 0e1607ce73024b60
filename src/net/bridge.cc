#include "net/bridge.h"

#include <algorithm>
#include <cerrno>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "net/elements.h"
#include "net/foreign_rules.h"
#include "net/forwarding.h"
#include "net/links.h"
#include "net/nf_tables.h"

namespace berth::net {

namespace {

// Somebody else may be making it too.
Result<Link> make_bridge(sys::NetlinkSocket& socket, const BridgePlan& plan) {
  sys::NetlinkRequests requests;
  request_bridge(requests, plan);
  const sys::NetlinkAnswer made = TRY(socket.exchange(requests)).front();
  if (made.err != 0 && made.err != EEXIST)
    return sys::fail_answer(made, fmt::format("make bridge {}", plan.name));
  const std::optional<Link> link = TRY(find_link(socket, plan.name));
  if (!link) return fail("bridge {} is gone again", plan.name);
  return *link;
}

Result<> check_kind(const Link& link, const BridgePlan& plan) {
  if (link.kind == "bridge") return {};
  Error error =
      fail(Code::conflict, "{} is not a bridge but another interface of the host's", plan.name).error();
  return std::unexpected(
      std::move(error).with_hint("Networks' bridges have names of their own; rename the interface."));
}

Result<> set_addresses(sys::NetlinkSocket& socket, const BridgePlan& plan, int link) {
  sys::NetlinkRequests requests;
  for (const InterfaceAddress& gateway : plan.gateways) request_address(requests, gateway, link, true);
  // For what comes from outside the kernel asks who has the container's address, and from a link-local one.
  // It would give the bridge one by itself, but only when it has seen that a container is attached, and use
  // it after the wait for a duplicate: that is 2 s in which nothing gets through.
  if (has_v6(plan.gateways)) request_address(requests, link_local_address(host_mac(plan.name)), link, true);
  if (requests.count() == 0) return {};
  return socket.carry_out(requests, fmt::format("give bridge {} its addresses", plan.name));
}

// Whether the bridge has all of its gateways' addresses: one that another process is just making has not.
Result<bool> has_addresses(sys::NetlinkSocket& socket, const BridgePlan& plan, int link) {
  sys::NetlinkRequests request;
  ifaddrmsg info{};
  info.ifa_index = static_cast<uint32_t>(link);
  request.message(RTM_GETADDR, NLM_F_DUMP, info);
  std::vector<std::string> found;
  TRY(socket.list(request, [&](const sys::NetlinkMessage& message) {
    const auto address = sys::leading<ifaddrmsg>(message.payload);
    if (message.type != RTM_NEWADDR || !address || address->ifa_index != info.ifa_index) return;
    const std::string_view local = sys::find_attribute(message.payload, sizeof info, IFA_LOCAL);
    const std::string_view other = sys::find_attribute(message.payload, sizeof info, IFA_ADDRESS);
    found.emplace_back(local.empty() ? other : local);
  }));
  return std::ranges::all_of(plan.gateways, [&](const InterfaceAddress& gateway) {
    return std::find(found.begin(), found.end(), gateway.address.bytes()) != found.end();
  });
}

// The kernel takes a network namespace apart, and the pairs that end in it, some time after its last process:
// under load that is long after a container has ended.
Result<> remove_ports(sys::NetlinkSocket& socket, const BridgePlan& plan, int link) {
  const std::vector<Link> ports = TRY(list_ports(socket, link));
  for (const Link& port : ports) {
    if (port.kind == "veth" && is_host_link_name(port.name)) continue;
    Error error =
        fail(Code::conflict, "{} is attached to bridge {}, and is no container's", port.name, plan.name)
            .error();
    return std::unexpected(
        std::move(error).with_hint(fmt::format("`ip link set {} nomaster` takes it off.", port.name)));
  }
  for (const Link& port : ports) TRY(delete_link(socket, port.name));
  return {};
}

void add_subnet(std::vector<Subnet>& subnets, std::string_view bytes, unsigned prefix) {
  const std::optional<Address> address = Address::from_bytes(bytes);
  if (!address || prefix == 0 || address->is_link_local() || address->is_multicast()) return;
  if (const auto subnet = Subnet::containing(*address, prefix)) subnets.push_back(*subnet);
}

}  // namespace

Result<HostChanges> ensure_bridge(const BridgePlan& bridge) {
  sys::NetlinkSocket socket = TRY(sys::NetlinkSocket::open(NETLINK_ROUTE));
  std::optional<Link> link = TRY(find_link(socket, bridge.name));
  HostChanges changes;
  if (!link) {
    link = TRY(make_bridge(socket, bridge));
    // It works all the same for what stays on the host.
    Result<std::vector<std::string>> stopped = what_stops_forwarding({&bridge, 1});
    if (stopped) changes.told = std::move(*stopped);
  }
  TRY(check_kind(*link, bridge));
  if (!TRY(has_addresses(socket, bridge, link->index))) TRY(set_addresses(socket, bridge, link->index));
  if (!link->up) {
    sys::NetlinkRequests requests;
    request_up(requests, bridge.name, has_v6(bridge.gateways));
    TRY(socket.carry_out(requests, fmt::format("bring bridge {} up", bridge.name)));
  }
  if (bridge.internal) return changes;
  for (const InterfaceAddress& gateway : bridge.gateways) {
    const std::optional<std::string> told = TRY(let_forward(gateway.address.is_v6()));
    if (told) changes.told.push_back(*told);
  }
  return changes;
}

Result<> remove_bridge(const std::string& table, const BridgePlan& bridge) {
  sys::NetlinkSocket socket = TRY(sys::NetlinkSocket::open(NETLINK_ROUTE));
  const std::optional<Link> link = TRY(find_link(socket, bridge.name));
  if (link) {
    TRY(check_kind(*link, bridge));
    TRY(remove_ports(socket, bridge, link->index));
    TRY(delete_link(socket, bridge.name));
  }
  sys::NetlinkSocket tables = TRY(sys::NetlinkSocket::open(NETLINK_NETFILTER));
  Transaction transaction(table);
  std::vector<Element> present;
  for (const Element& element : elements_of(bridge)) {
    if (TRY(find_element(tables, table, element))) present.push_back(element);
  }
  transaction.change(ElementChange::remove, present);
  const Result<> removed = transaction.commit(tables);
  if (!removed && removed.error().err != ENOENT) return removed;
  return {};
}

Result<std::vector<Subnet>> subnets_in_use() {
  sys::NetlinkSocket socket = TRY(sys::NetlinkSocket::open(NETLINK_ROUTE));
  std::vector<Subnet> subnets;
  sys::NetlinkRequests addresses;
  addresses.message(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{});
  TRY(socket.list(addresses, [&](const sys::NetlinkMessage& message) {
    const auto info = sys::leading<ifaddrmsg>(message.payload);
    if (message.type != RTM_NEWADDR || !info) return;
    add_subnet(subnets, sys::find_attribute(message.payload, sizeof *info, IFA_ADDRESS), info->ifa_prefixlen);
  }));
  for (const int family : {AF_INET, AF_INET6}) {
    sys::NetlinkRequests routes;
    rtmsg asked{};
    asked.rtm_family = static_cast<uint8_t>(family);
    asked.rtm_table = RT_TABLE_MAIN;
    routes.message(RTM_GETROUTE, NLM_F_DUMP, asked);
    TRY(socket.list(routes, [&](const sys::NetlinkMessage& message) {
      const auto info = sys::leading<rtmsg>(message.payload);
      if (message.type != RTM_NEWROUTE || !info || info->rtm_table != RT_TABLE_MAIN) return;
      add_subnet(subnets, sys::find_attribute(message.payload, sizeof *info, RTA_DST), info->rtm_dst_len);
    }));
  }
  std::ranges::sort(subnets);
  subnets.erase(std::unique(subnets.begin(), subnets.end()), subnets.end());
  return subnets;
}

}  // namespace berth::net
