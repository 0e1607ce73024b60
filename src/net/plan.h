// What a container's networks are to be, wholly decided: plain values. The engine makes them, in the
// transaction that gives out the addresses; the monitor applies them (attach.h, ports.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/address.h"
#include "wire/archive.h"

namespace berth::net {

// The longest name of an interface (linux/if.h, IFNAMSIZ less the terminating zero).
inline constexpr size_t kLongestInterfaceName = 15;
// A container is in at most so many networks at once (host_link_name() has one character for the number).
inline constexpr size_t kMostAttachments = 36;
// And publishes at most so many ports, each of a range counted.
inline constexpr size_t kMostPorts = 16384;

// An address of an interface, with how many of its bits name the subnet.
struct InterfaceAddress {
  Address address;
  uint32_t prefix = 0;
  template <typename A>
  void fields(A& a) {
    a(address, prefix);
  }
  bool operator==(const InterfaceAddress&) const = default;
};

// A network as the kernel has it: a bridge with the gateways' addresses, and elements of the store's table.
struct BridgePlan {
  std::string name;  // of the bridge
  // Addresses of the bridge; at most one a family.
  std::vector<InterfaceAddress> gateways;
  bool internal = false;  // no way out of it, and none in
  uint32_t mtu = 0;       // of the bridge and what is attached; 0: the kernel's 1500
  template <typename A>
  void fields(A& a) {
    a(name, gateways, internal, mtu);
  }
  bool operator==(const BridgePlan&) const = default;
};

enum class Protocol : uint8_t { tcp, udp, sctp };

// A range of the host's ports that leads to one of the container's of the same length.
struct PublishedPort {
  // None: all addresses of the host, in each family in which the container has an address. 0.0.0.0 and :: are
  // all of one family. Loopback addresses are reached from the host alone.
  std::optional<Address> host;
  uint16_t host_port = 0;  // not 0: who makes the plan has chosen one (ports.h, free_port())
  uint16_t container_port = 0;
  uint16_t count = 1;
  Protocol protocol = Protocol::tcp;
  template <typename A>
  void fields(A& a) {
    a(host, host_port, container_port, count, protocol);
  }
  bool operator==(const PublishedPort&) const = default;
};

struct Route {
  Subnet destination;
  Address gateway;  // on the link
  uint32_t metric = 0;
  template <typename A>
  void fields(A& a) {
    a(destination, gateway, metric);
  }
  bool operator==(const Route&) const = default;
};

// A container's end of a network.
struct AttachmentPlan {
  BridgePlan bridge;
  std::string interface;  // in the container: "eth0"
  std::string link;       // its other end, on the host: host_link_name()
  MacAddress mac;
  std::vector<InterfaceAddress> addresses;  // of the container; lengths as the gateways'
  std::vector<Route> routes;  // with the default ones: {0.0.0.0/0, gateway}; none in an internal network
  std::vector<PublishedPort> ports;  // that lead to this attachment's first address of the family
  template <typename A>
  void fields(A& a) {
    a(bridge, interface, link, mac, addresses, routes, ports);
  }
  bool operator==(const AttachmentPlan&) const = default;
};

struct NetworkPlan {
  std::string table;      // the store's: StoreNames::table
  std::string container;  // its ID; `nft list` shows the first 12 digits beside what is the container's
  std::vector<AttachmentPlan> attachments;
  template <typename A>
  void fields(A& a) {
    a(table, container, attachments);
  }
  bool operator==(const NetworkPlan&) const = default;
};

// Two stores on a host don't get into each other's way: what they have in the kernel bears different names.
// The default root has the plain ones, any other a short hash of its path.
struct StoreNames {
  std::string table;          // "berth", "berth-3fa2c1": of family inet
  std::string bridge_prefix;  // "berth", "b3fa2c1-": bridge_name() adds a number
};
StoreNames names_for(std::string_view root);

std::string bridge_name(const StoreNames& names, uint32_t number);

// The host's end of a container's attachment: "veth" + 10 digits of the ID + the attachment's number, below
// kMostAttachments.
std::string host_link_name(std::string_view container, size_t number);

// Whether a name is of that form.
bool is_host_link_name(std::string_view name);

// 1 to 15 characters, no '/', no ':', no blank, none that can't be printed, not "." or "..", no '%' (which
// the kernel would replace by a number); dev_valid_name() in net/core/dev.c.
bool is_interface_name(std::string_view name);

// Whether the values keep to what is said above: names, numbers, families, limits. What came over a channel
// or from a file is checked before it is applied. Code::refused.
Result<> check(const NetworkPlan& plan);

}  // namespace berth::net

template <>
struct berth::wire::LastValue<berth::net::Protocol> {
  static constexpr auto value = berth::net::Protocol::sctp;
};
