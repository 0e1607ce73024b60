// The store's own nftables table. Its chains and rules are made once a boot, by the nft program; networks and
// published ports are elements of its sets and maps, which cost a start some microseconds. docs/networks.md
// says what they are for.
#pragma once

#include <span>
#include <string>

#include "net/plan.h"

namespace berth::net {

// The table as `nft -f` takes it, without elements; in the place of one that is there.
std::string rules_text(const std::string& table);

// Whether the table is there with all its chains and rules, and is this version's. Costs some microseconds.
Result<bool> rules_are_whole(const std::string& table);

// Makes the table anew, and with it all elements are gone: repair_rules(). Who calls this keeps others from
// it meanwhile. Code::failed, with a hint, where there is no nft program.
Result<> make_rules(const std::string& table);

// Adds the elements that these containers and their networks need and that are not there, and puts those
// right that lead to another address. What others have is not touched.
Result<> repair_rules(const std::string& table, std::span<const NetworkPlan> running);

// Takes the whole table away, with the store; no error if there is none.
Result<> remove_rules(const std::string& table);

}  // namespace berth::net
