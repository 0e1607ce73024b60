// The values of flags about networks, as text from a person, into what the engine takes. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/container/network_spec.h"

namespace berth::cli {

// --network: "none", "host", "bridge", "container:NAME", or a network's NAME; behind a colon ip=, ip6=, mac=,
// alias= and interface_name=, with commas between.
struct NetworkValue {
  std::string mode;                     // ContainerSpec::network
  engine::AttachmentSpec attachment{};  // with kBridgedNetwork
};
Result<NetworkValue> parse_network(std::string_view text);

// --publish: "[[ADDRESS:][PORT[-PORT]]:]PORT[-PORT][/tcp|udp|sctp]", an address of IPv6 in brackets.
Result<engine::PortSpec> parse_publish(std::string_view text);

// --add-host: "NAME[;NAME...]:ADDRESS", with "host-gateway" for the host's own.
Result<std::vector<engine::HostEntrySpec>> parse_host_entry(std::string_view text);

// --ip, --ip6, --mac-address, --network-alias, --dns, --dns-search, --dns-option: the value as it is written
// normally.
Result<std::string> parse_address(std::string_view flag, std::string_view text, bool v6);
Result<std::string> parse_any_address(std::string_view flag, std::string_view text);
Result<std::string> parse_mac(std::string_view flag, std::string_view text);
Result<std::string> parse_host_name(std::string_view flag, std::string_view text);
Result<std::string> parse_dns_option(std::string_view text);

}  // namespace berth::cli
