#include "engine/network/network_leases.h"

#include <algorithm>

#include "base/fields.h"
#include "engine/container/container_spec.h"
#include "engine/container/status.h"
#include "engine/network/network_admin.h"
#include "ledger/published_ports.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

constexpr const char* kNotedLeases = "leases";

// A network of the project's, or one that is shared.
Result<ledger::Network> attached_network(store::Database& db, const std::string& id,
                                         const std::string& name) {
  store::Statement query = TRY(
      db.prepare("SELECT network_id FROM network_attachments JOIN networks ON networks.id = network_id WHERE "
                 "container_id = ? AND name = ?"));
  query.bind(1, id).bind(2, name);
  if (!TRY(query.step())) return fail(Code::not_found, "there is no network \"{}\" any more", name);
  return ledger::network_by_id(db, query.text(0));
}

// Calls lease(network, attachment) for each.
template <typename Take>
Result<std::vector<TakenNetwork>> for_each_network(store::Database& db, const std::string& id,
                                                   const ContainerSpec& spec, Take take) {
  std::vector<TakenNetwork> taken;
  if (spec.network != kBridgedNetwork) return taken;
  for (const AttachmentSpec& attachment : spec.networking.attachments) {
    ledger::Network network = TRY(attached_network(db, id, attachment.network));
    std::optional<ledger::Lease> lease = TRY(take(network, attachment));
    if (lease) taken.push_back({std::move(network), attachment, *lease});
  }
  return taken;
}

net::AttachmentPlan plan_attachment(const std::string& id, const TakenNetwork& taken) {
  net::AttachmentPlan plan{.bridge = bridge_plan(taken.network),
                           .interface = taken.attachment.interface,
                           .link = net::host_link_name(id, taken.attachment.number),
                           .mac = taken.lease.mac};
  for (const ledger::NetworkSubnet& subnet : taken.network.subnets) {
    const std::optional<net::Address>& address = subnet.subnet.is_v6() ? taken.lease.v6 : taken.lease.v4;
    if (address) plan.addresses.push_back({*address, subnet.subnet.prefix()});
  }
  return plan;
}

// By the first network that leads out, of each family.
void add_default_routes(const std::vector<TakenNetwork>& networks, net::NetworkPlan& plan) {
  for (const bool v6 : {false, true}) {
    const net::Address any = v6 ? net::Address::v6(0, 0) : net::Address::v4(0);
    for (size_t i = 0; i < networks.size(); ++i) {
      const ledger::Network& network = networks[i].network;
      const auto subnet = std::find_if(network.subnets.begin(), network.subnets.end(),
                                       [&](const auto& one) { return one.subnet.is_v6() == v6; });
      if (network.internal || subnet == network.subnets.end()) continue;
      plan.attachments[i].routes.push_back({*net::Subnet::containing(any, 0), subnet->gateway});
      break;
    }
  }
}

}  // namespace

ledger::AddressWish wish_of(const ContainerSpec& spec, const AttachmentSpec& attachment) {
  std::vector<std::string> names = attachment.aliases;
  if (!spec.hostname.empty()) names.push_back(spec.hostname);
  return {.v4 = net::Address::parse(attachment.ip),
          .v6 = net::Address::parse(attachment.ip6),
          .mac = net::MacAddress::parse(attachment.mac),
          .aliases = fmt::format("{}", fmt::join(names, ",")),
          .nameservers = fmt::format("{}", fmt::join(spec.networking.dns, ","))};
}

net::Protocol protocol_of(std::string_view name) {
  return name == "udp" ? net::Protocol::udp : name == "sctp" ? net::Protocol::sctp : net::Protocol::tcp;
}

Result<std::vector<TakenNetwork>> take_leases(store::Database& db, const std::string& id,
                                              const ContainerSpec& spec) {
  const auto lease = [&](const ledger::Network& network,
                         const AttachmentSpec& attachment) -> Result<std::optional<ledger::Lease>> {
    return TRY(ledger::lease_addresses(db, id, network, wish_of(spec, attachment)));
  };
  std::vector<TakenNetwork> taken = TRY(for_each_network(db, id, spec, lease));
  TRY(ledger::hold_ports(db, id));
  return taken;
}

Result<std::vector<TakenNetwork>> take_leases_now(store::Database& db, const std::string& id,
                                                  const ContainerSpec& spec) {
  if (spec.network != kBridgedNetwork) return std::vector<TakenNetwork>{};
  store::Transaction transaction = TRY(store::Transaction::begin(db));
  Result<std::vector<TakenNetwork>> taken = take_leases(db, id, spec);
  if (!taken && taken.error().code == Code::not_found) {
    // Somebody may have taken it out of a network since its record was read.
    const store::ContainerRecord record = TRY(store::find_container(db, id));
    const ContainerSpec now = TRY(container_spec_from_json(record.spec));
    taken = take_leases(db, id, now);
  }
  if (!taken) return taken;
  TRY(transaction.commit());
  return taken;
}

Result<std::vector<TakenNetwork>> networks_of(store::Database& db, const std::string& id,
                                              const ContainerSpec& spec) {
  return for_each_network(db, id, spec, [&](const ledger::Network& network, const AttachmentSpec&) {
    return ledger::find_lease(db, id, network.id);
  });
}

net::NetworkPlan network_plan(const store::Store& store, const std::string& id, const ContainerSpec& spec,
                              const std::vector<TakenNetwork>& networks) {
  net::NetworkPlan plan{
      .table = net::names_for(store.locations().root).table, .container = id, .attachments = {}};
  for (const TakenNetwork& taken : networks) plan.attachments.push_back(plan_attachment(id, taken));
  add_default_routes(networks, plan);
  // An internal network lets nobody in.
  const auto open = std::find_if(plan.attachments.begin(), plan.attachments.end(),
                                 [](const net::AttachmentPlan& one) { return !one.bridge.internal; });
  if (open == plan.attachments.end()) return plan;
  for (const PortSpec& port : spec.networking.ports) {
    open->ports.push_back({.host = net::Address::parse(port.host),
                           .host_port = port.host_port,
                           .container_port = port.container_port,
                           .count = port.count,
                           .protocol = protocol_of(port.protocol)});
  }
  return plan;
}

Result<> note_leases(const store::Store& store, const std::string& id,
                     const std::vector<TakenNetwork>& networks) {
  if (networks.empty()) return {};
  std::string text;
  for (const TakenNetwork& taken : networks) {
    const auto or_none = [](const std::optional<net::Address>& address) {
      return address ? address->text() : std::string("-");
    };
    text += fmt::format("{} {} {} {}\n", taken.network.id, or_none(taken.lease.v4), or_none(taken.lease.v6),
                        taken.lease.mac.text());
  }
  return sys::replace_file_at(store.run_root(), fmt::format("{}/{}", container_directory(id), kNotedLeases),
                              text, 0600, sys::Durability::none);
}

std::vector<NotedLease> noted_leases(const store::Store& store, const std::string& id) {
  constexpr size_t kLargest = 65536;
  std::vector<NotedLease> leases;
  const Result<std::string> text = sys::read_file_at(
      store.run_root(), fmt::format("{}/{}", container_directory(id), kNotedLeases), kLargest);
  if (!text) return leases;
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::string_view line = take_until(rest, '\n');
    NotedLease noted{std::string(take_until(line, ' ')), {}};
    noted.lease.v4 = net::Address::parse(take_until(line, ' '));
    noted.lease.v6 = net::Address::parse(take_until(line, ' '));
    const auto mac = net::MacAddress::parse(line);
    if (!mac) continue;
    noted.lease.mac = *mac;
    leases.push_back(std::move(noted));
  }
  return leases;
}

}  // namespace berth::engine
