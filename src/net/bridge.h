// Bridges: a network's presence on the host. They outlive containers and go with the network or the boot.
#pragma once

#include <string>
#include <vector>

#include "net/plan.h"

namespace berth::net {

// What was changed on the host besides, for the caller to tell: whole sentences.
struct HostChanges {
  std::vector<std::string> told;
};

// Makes the bridge, its addresses and its elements in the table, if they are not there as they should be, and
// lets the host forward (net.ipv4.ip_forward and its like) unless the network is internal. Costs some tens of
// microseconds if all is there. The table is made if need be (rules.h). Safe against another process that
// does the same. Code::conflict where another interface has the name.
Result<HostChanges> ensure_bridge(const std::string& table, const BridgePlan& bridge);

// Takes the bridge and its elements away; it is no error if they are gone. Code::conflict while something is
// attached.
Result<> remove_bridge(const std::string& table, const BridgePlan& bridge);

// Subnets that the host's own interfaces and routes (all tables' main one) use now, for who chooses one for a
// new network.
Result<std::vector<Subnet>> subnets_in_use();

}  // namespace berth::net
