// Networks as a person deals with them: made, found, removed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "ledger/networks.h"
#include "net/plan.h"
#include "store/store.h"

namespace berth::engine {

// What `berth network create` was asked for. Whatever is left out is chosen.
struct NewNetwork {
  std::string name;
  std::string project{};
  std::vector<std::string> subnets{};   // one of a family at most
  std::vector<std::string> gateways{};  // each in one of the subnets
  std::vector<std::string> ranges{};    // likewise; ADDRESS/PREFIX or ADDRESS-ADDRESS
  bool ipv6 = false;                    // has a subnet of IPv6 as well
  bool internal = false;
  bool dns = true;
  uint32_t mtu = 0;
  std::string bridge{};  // the name of its interface on the host
  std::map<std::string, std::string> labels{};
};

// Makes a network; its bridge comes with the first container. Subnets are checked against those of other
// networks and against the host's routes. Code::conflict, Code::usage.
Result<ledger::Network> create_network(store::Store& store, const config::Config& config,
                                       const NewNetwork& wanted);

// The network of that name, or its beginning of an ID, that a container of the project may be in: the
// project's own; the default one, which is made if need be; or one of no project's that the configuration
// shares. Within the transaction that records the container. `made` becomes true where one was made, for
// store_copy.h.
Result<ledger::Network> network_for_container(store::Store& store, const config::Config& config,
                                              const std::string& project, std::string_view name, bool& made);

// Removes a network and its bridge, within the caller's transaction. Code::refused for the default one,
// Code::conflict while containers are in it.
Result<> remove_network(store::Store& store, const ledger::Network& network);
// All those of a project that goes, the default one as well.
Result<> remove_networks_of_project(store::Store& store, std::string_view project);

// What other firewalls do to the bridges of these networks, in whole sentences; none where that can't be
// found out.
std::vector<std::string> warnings_of_networks(const std::vector<ledger::Network>& networks);

// As the kernel has it.
net::BridgePlan bridge_plan(const ledger::Network& network);

}  // namespace berth::engine
