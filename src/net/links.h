// What the kernel is told of interfaces, addresses and routes (rtnetlink(7)): requests, and what it lists.
// Nothing is sent here but questions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/plan.h"
#include "sys/netlink.h"

namespace berth::net {

struct Link {
  int index = 0;
  std::string name;
  std::string kind;  // "bridge", "veth"; empty for hardware
  bool up = false;
  uint32_t mtu = 0;
  int master = 0;  // the index of the bridge it is a port of; 0: none
};

// nullopt where there is none of that name.
Result<std::optional<Link>> find_link(sys::NetlinkSocket& socket, std::string_view name);

// From RTM_NEWLINK.
std::optional<Link> link_in(std::string_view payload);

// The ports of the bridge with that index.
Result<std::vector<Link>> list_ports(sys::NetlinkSocket& socket, int bridge);

// A bridge that is up, with an address of its own: without one it would take a port's, and change it as ports
// come and go.
void request_bridge(sys::NetlinkRequests& requests, const BridgePlan& plan);

// A pair whose one end is a port of the bridge, up, and whose other is in the namespace, up, with its name
// and address.
void request_pair(sys::NetlinkRequests& requests, const AttachmentPlan& plan, int bridge,
                  int network_namespace);

// Without `v6` it takes no part in IPv6.
void request_up(sys::NetlinkRequests& requests, std::string_view link, bool v6);
bool has_v6(const std::vector<InterfaceAddress>& addresses);

// Takes the interface away; it is no error if it is gone.
Result<> delete_link(sys::NetlinkSocket& socket, std::string_view link);

// Used at once: nobody else has it, so the wait for a duplicate (RFC 4862, 5.4) is left out. `replace`: no
// error where it is there.
void request_address(sys::NetlinkRequests& requests, const InterfaceAddress& address, int link, bool replace);

void request_route(sys::NetlinkRequests& requests, const Route& route, int link);

// The host side's address of the bridge or of a pair's end: locally administered, from the name.
MacAddress host_mac(std::string_view name);

// The link-local address that the kernel gives to an interface with this one, if it is asked for none (RFC
// 4291, appendix A).
InterfaceAddress link_local_address(const MacAddress& mac);

}  // namespace berth::net
