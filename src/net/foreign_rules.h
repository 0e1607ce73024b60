// Other firewalls that drop what the host forwards. A packet that one table drops is gone, whatever berth's
// says, and other tables are not berth's to change: so it can only be told.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/plan.h"

namespace berth::net {

// A chain as nf_tables lists it. Those of iptables are among them, unless it is iptables-legacy.
struct ForeignChain {
  uint8_t family = 0;  // NFPROTO_*
  std::string table;
  std::string name;
  bool forwards = false;  // is asked about every packet that the host forwards
  bool drops = false;     // those that its rules say nothing about
};
// Of NFT_MSG_NEWCHAIN's payload.
ForeignChain chain_in(std::string_view payload);

// Whether the rule, NFT_MSG_NEWRULE's payload, drops or rejects all that comes to it.
bool drops_everything(std::string_view payload);

// What stands in the way of the bridges' packets: whole sentences, with what lets them through; none where
// nothing does. A chain whose table has a rule that names the bridge is taken to let it through. Internal
// networks have no way that could be stopped.
Result<std::vector<std::string>> what_stops_forwarding(std::span<const BridgePlan> bridges);

}  // namespace berth::net
