// Networks as commands find and show them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/config.h"
#include "ledger/network_leases.h"
#include "ledger/networks.h"
#include "store/store.h"

namespace berth::cli {

// What --project of these commands says, and what its value is called there.
inline constexpr const char* kProjectText = "Of this project's networks; without it, of those of none";

// The configuration, and that the caller may use the project; none is anybody's.
Result<config::Config> config_for_project(const std::string& project);

// With podman's names for what is known: as `inspect` prints it, and as templates have it ("{{.Name}}").
nlohmann::ordered_json describe_network(const ledger::Network& network,
                                        const std::vector<ledger::LeaseHolder>& holders);
nlohmann::ordered_json network_row(const ledger::Network& network, size_t containers);

// Those that all filters let through: name=TEXT (a part of it), id=PREFIX, label=KEY[=VALUE], driver=bridge,
// project=NAME, dangling=true|false, until=MOMENT. Of several with one key one has to hold, but for label,
// where all do. Code::usage for any other.
Result<std::vector<ledger::Network>> filtered_networks(store::Database& db,
                                                       std::vector<ledger::Network> networks,
                                                       const std::vector<std::string>& filters);

std::map<std::string, std::string> network_labels(const ledger::Network& network);

}  // namespace berth::cli
