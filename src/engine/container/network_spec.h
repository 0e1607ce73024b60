// What a person asked of a container's networks: --network, --publish, --dns and their like, checked and
// normalised.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"

namespace berth::engine {

// ContainerSpec::network, what kind of network namespace it is. Behind kNetworkOfContainer comes the other's
// name or, once the container is made, its ID.
inline constexpr std::string_view kNoNetwork = "none";
inline constexpr std::string_view kHostNetwork = "host";
inline constexpr std::string_view kBridgedNetwork = "bridge";  // in each of NetworkSpec::attachments
inline constexpr std::string_view kNetworkOfContainer = "container:";

// One network that the container is in.
struct AttachmentSpec {
  std::string network;  // its name in the container's project
  // Empty: whatever is free.
  std::string ip{};
  std::string ip6{};
  std::string mac{};
  std::string interface{};             // "eth0"; empty, until the container is made: the next of them
  uint32_t number = 0;                 // among the container's, below net::kMostAttachments
  std::vector<std::string> aliases{};  // what others in the network call it, beside its name
  bool operator==(const AttachmentSpec&) const = default;
};

// A range of the host's ports that leads to one of the container's of the same length.
struct PortSpec {
  std::string host{};      // an address of the host's; empty: all
  uint16_t host_port = 0;  // 0: one that is free, until the container is made
  uint16_t container_port = 0;
  uint16_t count = 1;
  std::string protocol = "tcp";  // "udp", "sctp"
  bool chosen = false;           // host_port was chosen for it
  bool operator==(const PortSpec&) const = default;
};

struct HostEntrySpec {
  std::string name;
  std::string address;  // empty: the host's, as the container reaches it ("host-gateway")
  bool operator==(const HostEntrySpec&) const = default;
};

struct NetworkSpec {
  std::vector<AttachmentSpec> attachments{};
  std::vector<PortSpec> ports{};
  bool publish_all = false;             // all that the image and --expose name, until the container is made
  std::vector<std::string> exposed{};   // "80/tcp", "8000-8010/udp"
  std::vector<std::string> dns{};       // nameservers in the place of the host's
  std::vector<std::string> searches{};  // search domains likewise; "." for none
  std::vector<std::string> dns_options{};
  std::vector<HostEntrySpec> hosts{};  // more lines of /etc/hosts
  bool no_hosts = false;               // /etc/hosts is the image's
  bool operator==(const NetworkSpec&) const = default;
};

// Gives an attachment that has none yet its number, and its interface a name, beside those that are there.
void number_attachment(const std::vector<AttachmentSpec>& others, AttachmentSpec& attachment);

// "" where the network is not another container's.
std::string_view network_container(std::string_view network);

// Whether a text is fit for /etc/hosts, /etc/resolv.conf and the name server's files, where a blank or a
// line's end would begin something else: letters, digits, '.', '-' and '_', 253 at most (RFC 1035, 2.3.4).
bool is_host_name(std::string_view text);

// Of Docker's and OCI's "80", "80/tcp", "8000-8010/udp". Code::usage.
Result<PortSpec> parse_exposed(std::string_view text);

void to_json(nlohmann::json& json, const NetworkSpec& spec);
void from_json(const nlohmann::json& json, NetworkSpec& spec);

}  // namespace berth::engine
