// The networks of a store: their names, their bridges and their subnets. A part of the store's database;
// every function here that changes something is called within the caller's transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/address.h"
#include "store/database.h"

namespace berth::ledger {

struct NetworkSubnet {
  net::Subnet subnet;
  net::Address gateway;  // the bridge's own address in it
  // What containers get that do not ask for an address; both ends included, the gateway may lie in it.
  net::Address range_first;
  net::Address range_last;
};

struct Network {
  std::string id;         // 64 hexadecimal digits
  std::string project{};  // whose it is; empty: no project's
  std::string name;
  std::string bridge{};                  // the name of its interface on the host
  int64_t created_at = 0;                // seconds since 1970
  bool internal = false;                 // no way out of it
  bool dns = true;                       // its containers find one another by name
  uint32_t mtu = 0;                      // 0: the kernel's
  std::string labels = "{}";             // a JSON object of strings
  std::vector<NetworkSubnet> subnets{};  // at most one of a family, IPv4 first
};

// The network that containers are in that do not say otherwise. It is made when it is needed first, in each
// project one of its own, and is not removed.
inline constexpr std::string_view kDefaultNetwork = "bridge";

// A name as people may give it: as container names have it, and none that --network takes for something else.
// Code::usage.
Result<> check_network_name(std::string_view name);

// Code::conflict where the project has a network of that name, or another network has a part of the subnets.
Result<> insert_network(store::Database& db, const Network& network);

// By name or ID, or the beginning of an ID, of the networks of one project. Code::not_found, with a hint
// where a name is near; Code::usage for a beginning that several have.
Result<Network> find_network(store::Database& db, std::string_view project, std::string_view word);
// By its whole ID.
Result<Network> network_by_id(store::Database& db, std::string_view id);

// By project and name.
Result<std::vector<Network>> list_networks(store::Database& db);

// All subnets that networks of the store have.
Result<std::vector<net::Subnet>> subnets_of_networks(store::Database& db);

// A number that no bridge of the store's has in its name's end; the lowest. `prefix` is what their names
// begin with.
Result<uint32_t> free_bridge_number(store::Database& db, std::string_view prefix);

// Code::conflict while containers are attached, with their names.
Result<> delete_network(store::Database& db, const Network& network);

// Those that are attached to it, by name; IDs and names.
struct NetworkUser {
  std::string id;
  std::string name;
};
Result<std::vector<NetworkUser>> users_of_network(store::Database& db, std::string_view network_id);

}  // namespace berth::ledger
