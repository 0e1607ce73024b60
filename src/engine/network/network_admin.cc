#include "engine/network/network_admin.h"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/fault.h"
#include "base/log.h"
#include "config/policy_checks.h"
#include "ledger/subnet_choice.h"
#include "net/bridge.h"
#include "net/foreign_rules.h"
#include "sys/random.h"

namespace berth::engine {

namespace {

constexpr size_t kIdBytes = 32;
constexpr unsigned kPrefixV6 = 64;

// Subnets that a new network can't have: those of the host's routes, but for those to networks of the store,
// whose names say more.
Result<std::vector<net::Subnet>> taken_by_host(store::Database& db) {
  std::vector<net::Subnet> routes = TRY_CONTEXT(net::subnets_in_use(), "see which subnets this host uses");
  const std::vector<net::Subnet> own = TRY(ledger::subnets_of_networks(db));
  std::erase_if(routes, [&](const net::Subnet& route) {
    return std::find(own.begin(), own.end(), route) != own.end();
  });
  return routes;
}

// fd00::/8 less a random number, as RFC 4193 (3.2.2) has it for networks that are nobody else's.
Result<net::Subnet> unique_local_subnet() {
  constexpr size_t kBytes = 5;  // the Global ID
  const std::string digits = TRY(sys::random_hex(kBytes));
  const std::string text = fmt::format("fd{}:{}:{}::/{}", digits.substr(0, 2), digits.substr(2, 4),
                                       digits.substr(6, 4), kPrefixV6);
  const auto subnet = net::Subnet::parse(text);
  if (!subnet) return fail("{} is no subnet", text);
  return *subnet;
}

// One that serves for a bridge and at least one container.
Result<net::Subnet> parse_subnet(const std::string& text) {
  const auto subnet = net::Subnet::parse(text);
  if (!subnet) {
    return fail(Code::usage, "--subnet {}: it is ADDRESS/PREFIX, for example 10.89.3.0/24 or fd00:3::/64",
                printable(text.substr(0, 64)));
  }
  const net::Address& first = subnet->first();
  if (subnet->prefix() + 2 > first.bits())
    return fail(Code::usage, "--subnet {}: it has no room for a gateway and a container", text);
  const bool odd = first.is_unspecified() || first.is_loopback() || first.is_multicast() ||
                   first.is_link_local() || subnet->contains(net::Address::v4(0x7F000001)) ||
                   subnet->prefix() == 0;
  if (odd) return fail(Code::usage, "--subnet {}: containers can't have addresses of it", text);
  return *subnet;
}

ledger::NetworkSubnet whole(const net::Subnet& subnet) {
  return {subnet, subnet.first_usable(), subnet.first_usable(), subnet.last_usable()};
}

// The subnet that an address is in.
Result<ledger::NetworkSubnet*> subnet_with(std::vector<ledger::NetworkSubnet>& subnets, std::string_view flag,
                                           const net::Address& address) {
  const auto found = std::find_if(subnets.begin(), subnets.end(), [&](const ledger::NetworkSubnet& one) {
    return one.subnet.is_usable(address);
  });
  if (found != subnets.end()) return &*found;
  return fail(Code::usage, "{} {}: it is not in the subnet, or can't be an interface's", flag,
              address.text());
}

Result<> set_gateways(const NewNetwork& wanted, std::vector<ledger::NetworkSubnet>& subnets) {
  for (const std::string& text : wanted.gateways) {
    const auto address = net::Address::parse(text);
    if (!address) return fail(Code::usage, "--gateway {}: that is no address", printable(text.substr(0, 64)));
    TRY(subnet_with(subnets, "--gateway", *address))->gateway = *address;
  }
  return {};
}

struct Range {
  net::Address first;
  net::Address last;
};
std::optional<Range> parse_range(const std::string& text) {
  if (const auto subnet = net::Subnet::parse(text)) return Range{subnet->first(), subnet->last()};
  const size_t dash = text.find('-');
  if (dash == std::string::npos) return std::nullopt;
  const auto first = net::Address::parse(std::string_view(text).substr(0, dash));
  const auto last = net::Address::parse(std::string_view(text).substr(dash + 1));
  if (!first || !last || first->is_v6() != last->is_v6() || *last < *first) return std::nullopt;
  return Range{*first, *last};
}

Result<> set_ranges(const NewNetwork& wanted, std::vector<ledger::NetworkSubnet>& subnets) {
  for (const std::string& text : wanted.ranges) {
    const std::optional<Range> range = parse_range(text);
    if (!range) {
      return fail(Code::usage, "--ip-range {}: it is ADDRESS/PREFIX or ADDRESS-ADDRESS",
                  printable(text.substr(0, 100)));
    }
    const auto found = std::find_if(subnets.begin(), subnets.end(), [&](const ledger::NetworkSubnet& one) {
      return one.subnet.contains(range->first) && one.subnet.contains(range->last);
    });
    if (found == subnets.end()) return fail(Code::usage, "--ip-range {}: it is not in the subnet", text);
    found->range_first = std::max(range->first, found->subnet.first_usable());
    found->range_last = std::min(range->last, found->subnet.last_usable());
  }
  return {};
}

Result<> add_subnet(const net::Subnet& subnet, std::vector<ledger::NetworkSubnet>& subnets) {
  for (const ledger::NetworkSubnet& other : subnets) {
    if (other.subnet.is_v6() == subnet.is_v6())
      return fail(Code::usage, "--subnet {}: a network has one subnet of IPv4 and one of IPv6 at most",
                  subnet.text());
  }
  subnets.push_back(whole(subnet));
  return {};
}

std::unexpected<Error> routed(const net::Subnet& subnet, const net::Subnet& other) {
  Error error{Code::conflict, 0,
              fmt::format("the subnet {} has addresses that this host reaches otherwise, by its route to {}",
                          subnet.text(), other.text()),
              "Choose another --subnet, or leave it out: berth then takes one that is free."};
  return std::unexpected(std::move(error));
}

// Those that were asked for, and for what was not said one that is free.
Result<std::vector<ledger::NetworkSubnet>> choose_subnets(store::Database& db, const config::Config& config,
                                                          const NewNetwork& wanted) {
  std::vector<ledger::NetworkSubnet> subnets;
  const std::vector<net::Subnet> of_host = TRY(taken_by_host(db));
  for (const std::string& text : wanted.subnets) {
    const net::Subnet subnet = TRY(parse_subnet(text));
    if (const net::Subnet* other = ledger::first_overlap(subnet, of_host)) return routed(subnet, *other);
    TRY(add_subnet(subnet, subnets));
  }
  const auto has = [&](bool v6) {
    return std::any_of(subnets.begin(), subnets.end(),
                       [&](const auto& one) { return one.subnet.is_v6() == v6; });
  };
  const bool only_v6 = !subnets.empty() && !has(false);
  if (!has(false) && !only_v6) {
    std::vector<net::Subnet> taken = TRY(ledger::subnets_of_networks(db));
    taken.insert(taken.end(), of_host.begin(), of_host.end());
    std::vector<ledger::SubnetPool> pools;
    for (const net::Subnet& pool : config.defaults.subnet_pools.value)
      pools.push_back({pool, config::kSubnetPrefix});
    const net::Subnet chosen = TRY(ledger::choose_subnet(pools, taken));
    TRY(add_subnet(chosen, subnets));
  }
  if (wanted.ipv6 && !has(true)) {
    const net::Subnet subnet = TRY(unique_local_subnet());
    TRY(add_subnet(subnet, subnets));
  }
  std::sort(subnets.begin(), subnets.end(),
            [](const auto& a, const auto& b) { return a.subnet.is_v6() < b.subnet.is_v6(); });
  TRY(set_gateways(wanted, subnets));
  TRY(set_ranges(wanted, subnets));
  return subnets;
}

Result<std::string> bridge_for(store::Store& store, const NewNetwork& wanted) {
  const net::StoreNames names = net::names_for(store.locations().root);
  if (wanted.bridge.empty())
    return net::bridge_name(names, TRY(ledger::free_bridge_number(store.db(), names.bridge_prefix)));
  if (!net::is_interface_name(wanted.bridge))
    return fail(Code::usage, "no interface can be called \"{}\"", printable(wanted.bridge.substr(0, 32)));
  store::Statement taken = TRY(store.db().prepare("SELECT name FROM networks WHERE bridge = ?"));
  if (TRY(taken.bind(1, wanted.bridge).step()))
    return fail(Code::conflict, "the interface {} is another network's", wanted.bridge);
  return wanted.bridge;
}

Result<ledger::Network> insert(store::Store& store, const NewNetwork& wanted,
                               std::vector<ledger::NetworkSubnet> subnets) {
  ledger::Network network{.id = TRY(sys::random_hex(kIdBytes)),
                          .project = wanted.project,
                          .name = wanted.name,
                          .bridge = TRY(bridge_for(store, wanted)),
                          .created_at = ::time(nullptr),
                          .internal = wanted.internal,
                          .dns = wanted.dns,
                          .mtu = wanted.mtu};
  network.subnets = std::move(subnets);
  try {
    network.labels = nlohmann::json(wanted.labels).dump();
  } catch (const nlohmann::json::exception&) {
    return fail(Code::usage, "--label: it is not UTF-8 text");
  }
  TRY(ledger::insert_network(store.db(), network));
  return network;
}

// As it is configured, or where the host or another network is there already, a part of the pools.
Result<ledger::Network> make_default(store::Store& store, const config::Config& config,
                                     const std::string& project) {
  NewNetwork wanted{.name = std::string(ledger::kDefaultNetwork), .project = project, .dns = false};
  std::vector<net::Subnet> taken = TRY(ledger::subnets_of_networks(store.db()));
  const std::vector<net::Subnet> of_host = TRY(taken_by_host(store.db()));
  taken.insert(taken.end(), of_host.begin(), of_host.end());
  const net::Subnet& configured = config.defaults.bridge_subnet.value;
  const bool free = ledger::first_overlap(configured, taken) == nullptr;
  if (free && project.empty()) return insert(store, wanted, {whole(configured)});
  std::vector<ledger::NetworkSubnet> subnets = TRY(choose_subnets(store.db(), config, wanted));
  return insert(store, wanted, std::move(subnets));
}

}  // namespace

Result<ledger::Network> create_network(store::Store& store, const config::Config& config,
                                       const NewNetwork& wanted) {
  TRY(ledger::check_network_name(wanted.name));
  std::vector<ledger::NetworkSubnet> subnets = TRY(choose_subnets(store.db(), config, wanted));
  return insert(store, wanted, std::move(subnets));
}

Result<ledger::Network> network_for_container(store::Store& store, const config::Config& config,
                                              const std::string& project, std::string_view name, bool& made) {
  Result<ledger::Network> found = ledger::find_network(store.db(), project, name);
  if (found || found.error().code != Code::not_found) return found;
  if (name == ledger::kDefaultNetwork) {
    made = true;
    return make_default(store, config, project);
  }
  if (project.empty()) return found;
  Result<ledger::Network> shared = ledger::find_network(store.db(), "", name);
  if (shared && config::is_shared_network(config, shared->name)) return shared;
  return found;
}

Result<> remove_network(store::Store& store, const ledger::Network& network) {
  if (network.name == ledger::kDefaultNetwork) {
    return fail(Code::refused, "the network {} is where containers are that say nothing else, and stays",
                network.name);
  }
  TRY(ledger::delete_network(store.db(), network));
  return net::remove_bridge(net::names_for(store.locations().root).table, bridge_plan(network));
}

Result<> remove_networks_of_project(store::Store& store, std::string_view project) {
  for (const ledger::Network& network : TRY(ledger::list_networks(store.db()))) {
    if (network.project != project) continue;
    TRY(ledger::delete_network(store.db(), network));
    TRY(net::remove_bridge(net::names_for(store.locations().root).table, bridge_plan(network)));
  }
  return {};
}

std::vector<std::string> warnings_of_networks(const std::vector<ledger::Network>& networks) {
  std::vector<net::BridgePlan> bridges;
  for (const ledger::Network& network : networks) bridges.push_back(bridge_plan(network));
  Result<std::vector<std::string>> warnings = net::what_stops_forwarding(bridges);
  if (warnings) return std::move(*warnings);
  log::debug("other firewalls can't be looked at: {}", warnings.error().message);
  return {};
}

net::BridgePlan bridge_plan(const ledger::Network& network) {
  net::BridgePlan plan{
      .name = network.bridge, .gateways = {}, .internal = network.internal, .mtu = network.mtu};
  for (const ledger::NetworkSubnet& subnet : network.subnets)
    plan.gateways.push_back({subnet.gateway, subnet.subnet.prefix()});
  return plan;
}

}  // namespace berth::engine
