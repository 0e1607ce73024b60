// The store's own nftables table. Its chains and rules are made once a boot, by the nft program; networks and
// published ports are elements of its sets and maps, which cost a start some microseconds.
#pragma once

#include <span>
#include <string>

#include "net/plan.h"

namespace berth::net {

// The table as `nft -f` takes it, without elements.
std::string rules_text(const std::string& table);

// Makes the table with its rules if it is not there, or not whole, or another version's. Returns whether it
// was made, which lost all elements. Code::failed with a hint where there is no nft program.
Result<bool> ensure_rules(const std::string& table);

// Brings the table to what these need: the bridges' and the running containers' elements, and no others.
// Whatever was flushed or left behind, it is right afterwards; connections that go on keep going.
Result<> repair_rules(const std::string& table, std::span<const BridgePlan> bridges,
                      std::span<const NetworkPlan> running);

// Takes the whole table away, with the store.
Result<> remove_rules(const std::string& table);

}  // namespace berth::net
