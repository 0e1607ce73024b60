#include "cli/container_network.h"

namespace berth::cli {

std::vector<std::string> network_names(const engine::ContainerSpec& spec) {
  std::vector<std::string> names;
  for (const engine::AttachmentSpec& attachment : spec.networking.attachments)
    names.push_back(attachment.network);
  return names;
}

std::vector<PortView> published_ports(const engine::ContainerSpec& spec) {
  std::vector<PortView> ports;
  for (const engine::PortSpec& port : spec.networking.ports) {
    ports.push_back({.host = port.host.empty() ? "0.0.0.0" : port.host,
                     .host_port = port.host_port,
                     .container_port = port.container_port,
                     .count = port.count,
                     .protocol = port.protocol});
  }
  return ports;
}

std::string ports_text(const std::vector<PortView>& ports) {
  const auto range = [](uint16_t first, uint16_t count) {
    return count == 1 ? fmt::format("{}", first) : fmt::format("{}-{}", first, first + count - 1);
  };
  std::vector<std::string> texts;
  for (const PortView& port : ports) {
    const bool is_ipv6 = port.host.find(':') != std::string::npos;
    texts.push_back(fmt::format("{}:{}->{}/{}", is_ipv6 ? "[" + port.host + "]" : port.host,
                                range(port.host_port, port.count), range(port.container_port, port.count),
                                port.protocol));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace berth::cli
