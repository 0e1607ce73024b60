// What a container's networks and published ports look like to people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/container/container_spec.h"

namespace berth::cli {

// The networks that it is in; "host" and "none" are not among them.
std::vector<std::string> network_names(const engine::ContainerSpec& spec);

// A range of published ports.
struct PortView {
  std::string host;  // an address of the host's; "0.0.0.0" for all
  uint16_t host_port = 0;
  uint16_t container_port = 0;
  uint16_t count = 1;
  std::string protocol;  // "tcp", "udp", "sctp"
};
std::vector<PortView> published_ports(const engine::ContainerSpec& spec);

// "0.0.0.0:8080->80/tcp, 127.0.0.1:9000-9003->9000-9003/udp", as `ps` has it.
std::string ports_text(const std::vector<PortView>& ports);

}  // namespace berth::cli
