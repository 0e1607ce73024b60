// Bridges: a network's presence on the host. They outlive containers and go with the network or the boot.
#pragma once

#include <string>
#include <vector>

#include "net/plan.h"

namespace berth::net {

// What was changed on the host besides, and what of it stands in a new bridge's way (foreign_rules.h), for
// the caller to tell: whole sentences.
struct HostChanges {
  std::vector<std::string> told;
};

// Makes the bridge with its addresses, if it is not there, and lets the host forward (net.ipv4.ip_forward and
// its like) unless the network is internal. Costs some tens of microseconds if all is there. What the table
// needs to know of it is said with a container's ports (ports.h). Safe against another process that does the
// same. Code::conflict where an interface of another kind has the name.
Result<HostChanges> ensure_bridge(const BridgePlan& bridge);

// Takes the bridge and its elements away; it is no error if they are gone. No container that runs is in it:
// what earlier ones have left there goes too. Code::conflict, which says what, while something else is
// attached.
Result<> remove_bridge(const std::string& table, const BridgePlan& bridge);

// Subnets that the host's interfaces have, and to which it has routes (of the main table; the default route
// is none), for who chooses one for a new network.
Result<std::vector<Subnet>> subnets_in_use();

}  // namespace berth::net
