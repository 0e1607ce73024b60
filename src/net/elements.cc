#include "net/elements.h"

#include <netinet/in.h>

namespace berth::net {

namespace {

uint8_t number_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::udp:
      return IPPROTO_UDP;
    case Protocol::sctp:
      return IPPROTO_SCTP;
    case Protocol::tcp:
      break;
  }
  return IPPROTO_TCP;
}

struct Target {
  const Address& container;
  const Address* gateway;  // the bridge's of that family, if it has one
};

// Of one family.
struct Place {
  const PublishedPort& port;
  const Address* host;  // null: all of the family's
  Target target;
  const std::string& comment;
};

ElementData key_for(const Place& place, uint16_t port, bool with_address) {
  ElementData key;
  if (with_address) key.address(*place.host);
  return std::move(key.protocol(number_of(place.port.protocol)).port(port));
}

void add_ports(std::vector<Element>& elements, const Place& place) {
  const bool v6 = place.target.container.is_v6();
  const char* family = v6 ? "6" : "4";
  const bool everywhere = place.host == nullptr;
  const bool from_loopback = place.target.gateway != nullptr && (everywhere || place.host->is_loopback());
  // ::1 is the only one of its kind.
  const bool by_address = !everywhere && !v6;
  for (uint16_t i = 0; i < place.port.count; ++i) {
    const auto host_port = static_cast<uint16_t>(place.port.host_port + i);
    const auto container_port = static_cast<uint16_t>(place.port.container_port + i);
    ElementData value;
    value.address(place.target.container).port(container_port);
    elements.push_back({std::string("ports") + family + (everywhere ? "" : "_at"),
                        key_for(place, host_port, !everywhere).bytes(), value.bytes(), place.comment});
    if (!from_loopback) continue;
    ElementData gateway;
    gateway.address(*place.target.gateway);
    elements.push_back({std::string("loopback") + family + (by_address ? "_at" : ""),
                        key_for(place, host_port, by_address).bytes(), gateway.bytes(), place.comment});
  }
}

const Address* address_of_family(const std::vector<InterfaceAddress>& addresses, bool v6) {
  for (const InterfaceAddress& address : addresses) {
    if (address.address.is_v6() == v6) return &address.address;
  }
  return nullptr;
}

}  // namespace

std::vector<Element> elements_of(const BridgePlan& bridge) {
  const std::string name = ElementData().interface(bridge.name).bytes();
  std::vector<Element> elements{{"bridges", name, {}, {}}, {"within", name + name, {}, {}}};
  if (bridge.internal) elements.push_back({"internal", name, {}, {}});
  for (const InterfaceAddress& gateway : bridge.gateways) {
    const std::string family = gateway.address.is_v6() ? "6" : "4";
    const std::string address = ElementData().address(gateway.address).bytes();
    elements.push_back({"gateways" + family, address, {}, {}});
    elements.push_back({"own_gateway" + family, name + address, {}, {}});
  }
  return elements;
}

std::vector<Element> container_elements(const NetworkPlan& plan) {
  constexpr size_t kShortId = 12;
  const std::string comment = plan.container.substr(0, kShortId);
  std::vector<Element> elements;
  for (const AttachmentPlan& attachment : plan.attachments) {
    for (const InterfaceAddress& own : attachment.addresses) {
      const std::string key = ElementData().interface(attachment.bridge.name).address(own.address).bytes();
      elements.push_back({own.address.is_v6() ? "members6" : "members4", key, {}, comment});
    }
    for (const PublishedPort& port : attachment.ports) {
      for (const bool v6 : {false, true}) {
        if (port.host && port.host->is_v6() != v6) continue;
        const Address* container = address_of_family(attachment.addresses, v6);
        if (container == nullptr) continue;
        const Address* host = port.host && !port.host->is_unspecified() ? &*port.host : nullptr;
        const Target target{*container, address_of_family(attachment.bridge.gateways, v6)};
        add_ports(elements, {port, host, target, comment});
      }
    }
  }
  return elements;
}

}  // namespace berth::net
