#include "cli/inspect_network.h"

#include <algorithm>

#include "engine/network/network_leases.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

// The members that podman has for one network, and once more for the first of them at the top.
Json describe_lease(const engine::TakenNetwork* taken) {
  Json json = {{"Gateway", ""},           {"IPAddress", ""},          {"IPPrefixLen", 0}, {"IPv6Gateway", ""},
               {"GlobalIPv6Address", ""}, {"GlobalIPv6PrefixLen", 0}, {"MacAddress", ""}};
  if (taken == nullptr) return json;
  json["MacAddress"] = taken->lease.mac.text();
  for (const ledger::NetworkSubnet& subnet : taken->network.subnets) {
    const bool v6 = subnet.subnet.is_v6();
    const auto& address = v6 ? taken->lease.v6 : taken->lease.v4;
    json[v6 ? "IPv6Gateway" : "Gateway"] = subnet.gateway.text();
    json[v6 ? "GlobalIPv6Address" : "IPAddress"] = address ? address->text() : "";
    json[v6 ? "GlobalIPv6PrefixLen" : "IPPrefixLen"] = subnet.subnet.prefix();
  }
  return json;
}

}  // namespace

Json describe_port_bindings(const engine::ContainerSpec& spec) {
  Json bindings = Json::object();
  for (const engine::PortSpec& port : spec.networking.ports) {
    for (uint32_t i = 0; i < port.count; ++i) {
      bindings[fmt::format("{}/{}", port.container_port + i, port.protocol)].push_back(
          {{"HostIp", port.host}, {"HostPort", std::to_string(port.host_port + i)}});
    }
  }
  return bindings;
}

Result<Json> describe_network_settings(store::Store& store, const std::string& id,
                                       const engine::ContainerSpec& spec) {
  const std::vector<engine::TakenNetwork> taken = TRY(engine::networks_of(store.db(), id, spec));
  Json settings = describe_lease(taken.empty() ? nullptr : &taken.front());
  settings["Ports"] = describe_port_bindings(spec);
  Json networks = Json::object();
  for (const engine::AttachmentSpec& attachment : spec.networking.attachments) {
    const auto found = std::find_if(taken.begin(), taken.end(), [&](const engine::TakenNetwork& one) {
      return one.attachment.network == attachment.network;
    });
    Json network = describe_lease(found == taken.end() ? nullptr : &*found);
    if (found != taken.end()) network["NetworkID"] = found->network.id;
    network["Aliases"] = attachment.aliases;
    network["Interface"] = attachment.interface;
    networks[attachment.network] = std::move(network);
  }
  settings["Networks"] = std::move(networks);
  return settings;
}

}  // namespace berth::cli
