#include "engine/network/settle_network.h"

#include <algorithm>

#include "engine/network/network_admin.h"
#include "engine/network/network_leases.h"
#include "ledger/network_leases.h"
#include "ledger/published_ports.h"
#include "net/ports.h"
#include "oci/image_config.h"

namespace berth::engine {

namespace {

constexpr size_t kShortId = 12;

// What --publish-all adds: each port once, and none that is published already.
Result<> add_exposed(const store::ImageRecord& image, NetworkSpec& networking) {
  const oci::ImageConfig config = TRY(oci::parse_image_config(image.config));
  std::vector<PortSpec> exposed;
  for (const std::string& text : networking.exposed) exposed.push_back(TRY(parse_exposed(text)));
  for (const std::string& text : config.exposed_ports)
    exposed.push_back(TRY_CONTEXT(parse_exposed(text), "the image's EXPOSE"));
  for (const PortSpec& range : exposed) {
    for (uint16_t i = 0; i < range.count; ++i) {
      PortSpec port = range;
      port.container_port = static_cast<uint16_t>(range.container_port + i);
      port.count = 1;
      const auto published = [&](const PortSpec& other) {
        return other.protocol == port.protocol && other.container_port <= port.container_port &&
               port.container_port - other.container_port < other.count;
      };
      const bool known = std::any_of(networking.ports.begin(), networking.ports.end(), published);
      if (!known) networking.ports.push_back(std::move(port));
    }
  }
  networking.publish_all = false;
  return {};
}

ledger::HostPorts host_ports(const PortSpec& port) {
  return {port.protocol, port.host, port.host_port, static_cast<uint16_t>(port.host_port + port.count - 1)};
}

// One that nobody has: not on the host now, and not a container that may not run yet.
Result<uint16_t> choose_port(store::Database& db, const std::string& id,
                             const std::vector<ledger::HostPorts>& own, PortSpec port) {
  constexpr int kAttempts = 200;
  const std::optional<net::Address> host = net::Address::parse(port.host);
  const net::Protocol protocol = protocol_of(port.protocol);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    port.host_port = TRY(net::free_port(host, protocol, port.count));
    const ledger::HostPorts chosen = host_ports(port);
    const bool mine = std::any_of(
        own.begin(), own.end(), [&](const ledger::HostPorts& other) { return ledger::clash(chosen, other); });
    if (!mine && !TRY(ledger::is_wanted(db, id, chosen))) return port.host_port;
  }
  return fail(Code::conflict, "no port of the host's is free for port {}/{} of the container",
              port.container_port, port.protocol);
}

// Free ones for those that say none.
Result<> settle_ports(store::Database& db, const std::string& id, const store::ImageRecord& image,
                      NetworkSpec& networking) {
  if (networking.publish_all) TRY(add_exposed(image, networking));
  std::vector<ledger::HostPorts> own;
  const auto add = [&](const PortSpec& port) -> Result<> {
    const ledger::HostPorts wanted = host_ports(port);
    for (const ledger::HostPorts& other : own) {
      if (ledger::clash(wanted, other))
        return fail(Code::usage, "the host's port {}/{} is published twice",
                    std::max(wanted.first, other.first), port.protocol);
    }
    own.push_back(wanted);
    return {};
  };
  for (const PortSpec& port : networking.ports) {
    if (port.host_port != 0) TRY(add(port));
  }
  for (PortSpec& port : networking.ports) {
    if (port.host_port != 0) continue;
    port.host_port = TRY(choose_port(db, id, own, port));
    port.chosen = true;
    TRY(add(port));
  }
  size_t count = 0;
  for (const PortSpec& port : networking.ports) count += port.count;
  if (count > net::kMostPorts)
    return fail(Code::usage, "a container can publish {} ports at most, not {}", net::kMostPorts, count);
  return ledger::record_ports(db, id, own);
}

}  // namespace

Result<> settle_network_kind(ContainerSpec& spec, const config::Config& config) {
  NetworkSpec& networking = spec.networking;
  if (spec.network.empty()) {
    const bool publishes = networking.publish_all || !networking.ports.empty();
    spec.network = publishes ? std::string(kBridgedNetwork) : config.defaults.network.value;
    if (spec.network == kBridgedNetwork)
      networking.attachments.push_back({.network = std::string(ledger::kDefaultNetwork)});
  }
  // Names that were chosen come first: the others go round them.
  std::vector<AttachmentSpec> numbered;
  for (const bool named : {true, false}) {
    for (AttachmentSpec& attachment : networking.attachments) {
      if (attachment.interface.empty() == named) continue;
      number_attachment(numbered, attachment);
      numbered.push_back(attachment);
    }
  }
  if (spec.network == kBridgedNetwork) return {};
  // With the host's network a port is where it is anyway.
  networking.ports.clear();
  networking.publish_all = false;
  if (spec.network == kHostNetwork) return {};
  for (const HostEntrySpec& entry : networking.hosts) {
    if (!entry.address.empty()) continue;
    return fail(Code::usage, "--add-host {}:host-gateway: with --network {} it does not reach the host",
                entry.name, spec.network);
  }
  return {};
}

Result<> settle_joined_network(store::Store& store, const store::ContainerRecord& record,
                               ContainerSpec& spec) {
  const std::string name(network_container(spec.network));
  if (name.empty()) return {};
  const store::ContainerRecord other =
      TRY_CONTEXT(store::find_container(store.db(), name), "--network container:{}", name);
  if (other.project != record.project) {
    return fail(Code::refused, "--network container:{}: it is not of the same project", name);
  }
  if (other.uid_map != record.uid_map || other.gid_map != record.gid_map) {
    Error error{
        Code::usage, 0,
        fmt::format("--network container:{}: the two don't have the same user IDs, and a network namespace "
                    "belongs to those who made it",
                    name),
        fmt::format("`--userns container:{}` gives it the same IDs; containers of one project have them.",
                    name)};
    return std::unexpected(std::move(error));
  }
  const ContainerSpec theirs = TRY(container_spec_from_json(other.spec));
  if (!network_container(theirs.network).empty())
    return fail(Code::usage, "--network container:{}: it has the network of another container itself", name);
  if (theirs.network == kHostNetwork)
    return fail(Code::usage, "--network container:{}: it has the host's network; --network host says so",
                name);
  spec.network = std::string(kNetworkOfContainer) + other.id;
  if (spec.hostname.empty())
    spec.hostname = theirs.hostname.empty() ? other.id.substr(0, kShortId) : theirs.hostname;
  return {};
}

Result<bool> record_networks(store::Store& store, const config::Config& config, const std::string& id,
                             const store::ImageRecord& image, bool holds, ContainerSpec& spec) {
  bool made = false;
  if (spec.network != kBridgedNetwork) return made;
  for (const AttachmentSpec& attachment : spec.networking.attachments) {
    const ledger::Network network =
        TRY(network_for_container(store, config, spec.project, attachment.network, made));
    TRY_CONTEXT(ledger::attach_container(store.db(), id, network, wish_of(spec, attachment)), "--network {}",
                attachment.network);
  }
  if (spec.networking.publish_all || !spec.networking.ports.empty())
    TRY(settle_ports(store.db(), id, image, spec.networking));
  if (holds) TRY(take_leases(store.db(), id, spec));
  return made;
}

Result<> restore_networks(store::Store& store, const std::string& id, const ContainerSpec& spec) {
  if (spec.network != kBridgedNetwork) return {};
  const std::vector<NotedLease> noted = noted_leases(store, id);
  for (const AttachmentSpec& attachment : spec.networking.attachments) {
    Result<ledger::Network> network = ledger::find_network(store.db(), spec.project, attachment.network);
    if (!network) network = ledger::find_network(store.db(), "", attachment.network);
    if (!network) return std::unexpected(network.error());
    ledger::AddressWish wish = wish_of(spec, attachment);
    TRY(ledger::attach_container(store.db(), id, *network, wish));
    const auto lease = std::find_if(noted.begin(), noted.end(),
                                    [&](const NotedLease& one) { return one.network == network->id; });
    if (lease == noted.end()) continue;
    wish.v4 = lease->lease.v4;
    wish.v6 = lease->lease.v6;
    wish.mac = lease->lease.mac;
    TRY(ledger::lease_addresses(store.db(), id, *network, wish));
  }
  std::vector<ledger::HostPorts> ports;
  for (const PortSpec& port : spec.networking.ports) ports.push_back(host_ports(port));
  TRY(ledger::record_ports(store.db(), id, ports));
  return noted.empty() ? Result<>() : ledger::hold_ports(store.db(), id);
}

}  // namespace berth::engine
