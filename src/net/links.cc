#include "net/links.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/in6.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

namespace berth::net {

namespace {

constexpr uint16_t kCreate = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;

std::string_view bytes_of(const std::array<uint8_t, 6>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A container that calls its own published port gets its packet back through the port it came from, if what
// is bridged goes through the rules (br_netfilter): then it is not routed but turned round in the bridge.
void request_hairpin(sys::NetlinkRequests& requests, std::string_view link) {
  requests.message(RTM_NEWLINK, NLM_F_ACK, ifinfomsg{});
  requests.text(IFLA_IFNAME, link);
  const size_t info = requests.open(IFLA_LINKINFO);
  requests.text(IFLA_INFO_SLAVE_KIND, "bridge");
  const size_t data = requests.open(IFLA_INFO_SLAVE_DATA);
  requests.number(IFLA_BRPORT_MODE, uint8_t{1});
  requests.close(data);
  requests.close(info);
}

// Under names that udev would replace an address made up by the kernel (systemd.link(5), MACAddressPolicy).
void put_identity(sys::NetlinkRequests& requests, std::string_view name, const MacAddress& mac,
                  uint32_t mtu) {
  requests.text(IFLA_IFNAME, name);
  requests.attribute(IFLA_ADDRESS, bytes_of(mac.bytes()));
  if (mtu != 0) requests.number(IFLA_MTU, mtu);
}

// An interface without an address of IPv6 takes no part in it: not by a link-local one either, by which what
// the plan keeps apart could meet. It would get that when it comes up.
void request_no_v6(sys::NetlinkRequests& requests, std::string_view link) {
  requests.message(RTM_NEWLINK, NLM_F_ACK, ifinfomsg{});
  requests.text(IFLA_IFNAME, link);
  const size_t families = requests.open(IFLA_AF_SPEC);
  const size_t v6 = requests.open(AF_INET6);
  requests.number(IFLA_INET6_ADDR_GEN_MODE, uint8_t{IN6_ADDR_GEN_MODE_NONE});
  requests.close(v6);
  requests.close(families);
}

}  // namespace

bool has_v6(const std::vector<InterfaceAddress>& addresses) {
  return std::ranges::any_of(addresses, [](const InterfaceAddress& own) { return own.address.is_v6(); });
}

std::optional<Link> link_in(std::string_view payload) {
  const auto info = sys::leading<ifinfomsg>(payload);
  if (!info || info->ifi_index <= 0) return std::nullopt;
  const auto value = [&](uint16_t type) { return sys::find_attribute(payload, sizeof *info, type); };
  Link link;
  link.index = info->ifi_index;
  link.name = sys::text_in(value(IFLA_IFNAME));
  link.up = (info->ifi_flags & IFF_UP) != 0;
  link.kind = sys::text_in(sys::find_attribute(value(IFLA_LINKINFO), 0, IFLA_INFO_KIND));
  link.mtu = sys::leading<uint32_t>(value(IFLA_MTU)).value_or(0);
  link.master = sys::leading<int>(value(IFLA_MASTER)).value_or(0);
  return link;
}

Result<std::optional<Link>> find_link(sys::NetlinkSocket& socket, std::string_view name) {
  sys::NetlinkRequests request;
  request.message(RTM_GETLINK, NLM_F_ACK, ifinfomsg{});
  request.text(IFLA_IFNAME, name);
  // No statistics, which take longer than all else.
  constexpr uint32_t kSkipStatistics = 1U << 3;  // RTEXT_FILTER_SKIP_STATS
  request.number(IFLA_EXT_MASK, kSkipStatistics);
  std::optional<Link> found;
  const std::vector<sys::NetlinkAnswer> answers =
      TRY(socket.exchange(request, [&](const sys::NetlinkMessage& message) {
        if (message.type == RTM_NEWLINK) found = link_in(message.payload);
      }));
  const sys::NetlinkAnswer& answer = answers.front();
  if (answer.err == ENODEV) return std::nullopt;
  if (answer.err != 0) return sys::fail_answer(answer, fmt::format("look for interface {}", name));
  return found;
}

Result<std::vector<Link>> list_ports(sys::NetlinkSocket& socket, int bridge) {
  sys::NetlinkRequests request;
  request.message(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{});
  request.number(IFLA_MASTER, static_cast<uint32_t>(bridge));
  std::vector<Link> ports;
  TRY(socket.list(request, [&](const sys::NetlinkMessage& message) {
    std::optional<Link> port = link_in(message.payload);
    if (port && port->master == bridge) ports.push_back(std::move(*port));
  }));
  return ports;
}

void request_bridge(sys::NetlinkRequests& requests, const BridgePlan& plan) {
  requests.message(RTM_NEWLINK, kCreate, ifinfomsg{});
  put_identity(requests, plan.name, host_mac(plan.name), plan.mtu);
  const size_t info = requests.open(IFLA_LINKINFO);
  requests.text(IFLA_INFO_KIND, "bridge");
  const size_t data = requests.open(IFLA_INFO_DATA);
  // There are no loops among containers' ports, so nothing is to wait for them to be found.
  requests.number(IFLA_BR_FORWARD_DELAY, uint32_t{0});
  requests.number(IFLA_BR_STP_STATE, uint32_t{0});
  requests.close(data);
  requests.close(info);
  request_up(requests, plan.name, has_v6(plan.gateways));
}

void request_pair(sys::NetlinkRequests& requests, const AttachmentPlan& plan, int bridge,
                  int network_namespace) {
  requests.message(RTM_NEWLINK, kCreate, ifinfomsg{});
  put_identity(requests, plan.link, host_mac(plan.link), plan.bridge.mtu);
  requests.number(IFLA_MASTER, static_cast<uint32_t>(bridge));
  const size_t info = requests.open(IFLA_LINKINFO);
  requests.text(IFLA_INFO_KIND, "veth");
  const size_t data = requests.open(IFLA_INFO_DATA);
  const size_t peer = requests.open(VETH_INFO_PEER, ifinfomsg{});
  put_identity(requests, plan.interface, plan.mac, plan.bridge.mtu);
  requests.number(IFLA_NET_NS_FD, static_cast<uint32_t>(network_namespace));
  requests.close(peer);
  requests.close(data);
  requests.close(info);
  request_hairpin(requests, plan.link);
  request_up(requests, plan.link, false);  // a port of a bridge needs no address
}

void request_up(sys::NetlinkRequests& requests, std::string_view link, bool v6) {
  if (!v6) request_no_v6(requests, link);
  ifinfomsg info{};
  info.ifi_flags = IFF_UP;
  info.ifi_change = IFF_UP;
  requests.message(RTM_NEWLINK, NLM_F_ACK, info);
  requests.text(IFLA_IFNAME, link);
}

Result<> delete_link(sys::NetlinkSocket& socket, std::string_view link) {
  sys::NetlinkRequests requests;
  requests.message(RTM_DELLINK, NLM_F_ACK, ifinfomsg{});
  requests.text(IFLA_IFNAME, link);
  const sys::NetlinkAnswer answer = TRY(socket.exchange(requests)).front();
  if (answer.err == 0 || answer.err == ENODEV) return {};
  return sys::fail_answer(answer, fmt::format("take {} away", link));
}

void request_address(sys::NetlinkRequests& requests, const InterfaceAddress& address, int link,
                     bool replace) {
  ifaddrmsg info{};
  info.ifa_family = static_cast<uint8_t>(address.address.family());
  info.ifa_prefixlen = static_cast<uint8_t>(address.prefix);
  info.ifa_index = static_cast<uint32_t>(link);
  const uint16_t mode = replace ? NLM_F_REPLACE : NLM_F_EXCL;
  requests.message(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | mode, info);
  const std::string bytes = address.address.bytes();
  requests.attribute(IFA_LOCAL, bytes);
  if (address.address.is_v6()) {
    requests.number(IFA_FLAGS, uint32_t{IFA_F_NODAD});
    return;
  }
  requests.attribute(IFA_ADDRESS, bytes);
  constexpr uint32_t kLongestWithBroadcast = 30;
  const std::optional<Subnet> subnet = Subnet::containing(address.address, address.prefix);
  if (subnet && address.prefix <= kLongestWithBroadcast)
    requests.attribute(IFA_BROADCAST, subnet->last().bytes());
}

void request_route(sys::NetlinkRequests& requests, const Route& route, int link) {
  rtmsg info{};
  info.rtm_family = static_cast<uint8_t>(route.gateway.family());
  info.rtm_dst_len = static_cast<uint8_t>(route.destination.prefix());
  info.rtm_table = RT_TABLE_MAIN;
  info.rtm_protocol = RTPROT_STATIC;
  info.rtm_scope = RT_SCOPE_UNIVERSE;
  info.rtm_type = RTN_UNICAST;
  requests.message(RTM_NEWROUTE, kCreate, info);
  if (route.destination.prefix() != 0) requests.attribute(RTA_DST, route.destination.first().bytes());
  requests.attribute(RTA_GATEWAY, route.gateway.bytes());
  requests.number(RTA_OIF, static_cast<uint32_t>(link));
  if (route.metric != 0) requests.number(RTA_PRIORITY, route.metric);
}

MacAddress host_mac(std::string_view name) {
  // FNV-1a.
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  constexpr uint8_t kLocal = 0x02;
  constexpr uint8_t kHostSide =
      0xB0;  // a container's has another (MacAddress::for_address()), or a person's choice
  const auto byte = [hash](int shift) { return static_cast<uint8_t>(hash >> shift); };
  return MacAddress(std::array<uint8_t, 6>{kLocal, kHostSide, byte(24), byte(16), byte(8), byte(0)});
}

InterfaceAddress link_local_address(const MacAddress& mac) {
  constexpr uint8_t kLocal = 0x02;
  constexpr unsigned kPrefix = 64;
  const std::array<uint8_t, 6>& own = mac.bytes();
  const std::array<uint8_t, 16> bytes{
      0xFE,   0x80,   0,    0,    0,      0,      0,     0, static_cast<uint8_t>(own[0] ^ kLocal),
      own[1], own[2], 0xFF, 0xFE, own[3], own[4], own[5]};
  const auto address = Address::from_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return {address.value_or(Address{}), kPrefix};
}

}  // namespace berth::net
