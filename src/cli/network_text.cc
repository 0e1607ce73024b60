#include "cli/network_text.h"

#include <algorithm>

#include "cli/filter.h"
#include "cli/times.h"
#include "config/load.h"
#include "config/policy_checks.h"
#include "engine/ids/id_decision.h"
#include "ledger/projects.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDriver = "bridge";

Json labels_of(const ledger::Network& network) {
  Json labels = Json::parse(network.labels, nullptr, false);
  return labels.is_object() ? labels : Json::object();
}

bool has_v6(const ledger::Network& network) {
  return std::any_of(network.subnets.begin(), network.subnets.end(),
                     [](const ledger::NetworkSubnet& subnet) { return subnet.subnet.is_v6(); });
}

Json options_of(const ledger::Network& network) {
  Json options = Json::object();
  if (network.mtu != 0) options["mtu"] = std::to_string(network.mtu);
  return options;
}

Json subnets_of(const ledger::Network& network) {
  Json subnets = Json::array();
  for (const ledger::NetworkSubnet& subnet : network.subnets) {
    subnets.push_back(
        {{"subnet", subnet.subnet.text()},
         {"gateway", subnet.gateway.text()},
         {"lease_range", {{"start_ip", subnet.range_first.text()}, {"end_ip", subnet.range_last.text()}}}});
  }
  return subnets;
}

Json containers_of(const ledger::Network& network, const std::vector<ledger::LeaseHolder>& holders) {
  Json containers = Json::object();
  for (const ledger::LeaseHolder& holder : holders) {
    Json addresses = Json::array();
    for (const ledger::NetworkSubnet& subnet : network.subnets) {
      const auto& address = subnet.subnet.is_v6() ? holder.lease.v6 : holder.lease.v4;
      if (address) addresses.push_back(fmt::format("{}/{}", address->text(), subnet.subnet.prefix()));
    }
    containers[holder.container] = {
        {"name", holder.name}, {"addresses", std::move(addresses)}, {"mac_address", holder.lease.mac.text()}};
  }
  return containers;
}

Result<Filter> parse_filter(const std::string& text) {
  Filter filter = TRY(split_filter(text));
  const bool is_bool = filter.value == "true" || filter.value == "false";
  const bool takes_text = filter.key == "name" || filter.key == "id" || filter.key == "label" ||
                          filter.key == "driver" || filter.key == "project";
  const bool known = takes_text || filter.moment || (filter.key == "dangling" && is_bool);
  if (known && (!filter.value.empty() || filter.key == "project")) return filter;
  return fail(Code::usage,
              "--filter {}: it is name=TEXT, id=ID, label=KEY[=VALUE], driver=bridge, project=NAME, "
              "dangling=true|false or until=TIME",
              text);
}

bool holds(const ledger::Network& network, bool used, const Filter& filter) {
  if (filter.key == "name") return network.name.find(filter.value) != std::string::npos;
  if (filter.key == "id") return network.id.starts_with(filter.value);
  if (filter.key == "label") return has_label(network_labels(network), filter.value);
  if (filter.key == "project") return network.project == filter.value;
  if (filter.key == "dangling") return used == (filter.value == "false");
  if (filter.moment) return network.created_at < *filter.moment;
  return filter.value == kDriver;
}

}  // namespace

Result<config::Config> config_for_project(const std::string& project) {
  config::Config config = TRY(config::load(config::sources_from_environment()));
  if (project.empty()) return config;
  TRY_CONTEXT(ledger::check_project_name(project), "--project");
  TRY(config::check_project(config, engine::caller_from_environment().name, project));
  return config;
}

Json describe_network(const ledger::Network& network, const std::vector<ledger::LeaseHolder>& holders) {
  return Json{{"name", network.name},
              {"id", network.id},
              {"driver", kDriver},
              {"project", network.project},
              {"network_interface", network.bridge},
              {"created", rfc3339(std::chrono::seconds(network.created_at))},
              {"subnets", subnets_of(network)},
              {"ipv6_enabled", has_v6(network)},
              {"internal", network.internal},
              {"dns_enabled", network.dns},
              {"labels", labels_of(network)},
              {"options", options_of(network)},
              {"ipam_options", {{"driver", "host-local"}}},
              {"containers", containers_of(network, holders)}};
}

Json network_row(const ledger::Network& network, size_t containers) {
  return Json{{"ID", network.id},
              {"Name", network.name},
              {"Driver", kDriver},
              {"Project", network.project},
              {"NetworkInterface", network.bridge},
              {"Created", rfc3339(std::chrono::seconds(network.created_at))},
              {"Subnets", subnets_of(network)},
              {"IPv6Enabled", has_v6(network)},
              {"Internal", network.internal},
              {"DNSEnabled", network.dns},
              {"Labels", labels_of(network)},
              {"Options", options_of(network)},
              {"Containers", containers}};
}

Result<std::vector<ledger::Network>> filtered_networks(store::Database& db,
                                                       std::vector<ledger::Network> networks,
                                                       const std::vector<std::string>& filters) {
  std::vector<Filter> parsed;
  for (const std::string& text : filters) parsed.push_back(TRY(parse_filter(text)));
  std::vector<ledger::Network> passed;
  for (ledger::Network& network : networks) {
    const bool used = !TRY(ledger::users_of_network(db, network.id)).empty();
    const bool pass =
        filters_pass(parsed, [&](const Filter& filter) { return holds(network, used, filter); });
    if (pass) passed.push_back(std::move(network));
  }
  return passed;
}

std::map<std::string, std::string> network_labels(const ledger::Network& network) {
  std::map<std::string, std::string> labels;
  const Json all = labels_of(network);
  for (const auto& [key, value] : all.items())
    if (value.is_string()) labels.emplace(key, value.get<std::string>());
  return labels;
}

}  // namespace berth::cli
