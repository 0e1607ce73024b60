// Which subnet a new network gets, where nobody has said one. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/address.h"

namespace berth::ledger {

// Where subnets are taken from: the first free part of this length of the first pool that has one.
struct SubnetPool {
  net::Subnet base;
  unsigned prefix = 24;  // base's at least
};

// `taken`: those of other networks and what the host has routes to. Code::conflict where nothing is free,
// with what there is of the pools.
Result<net::Subnet> choose_subnet(std::span<const SubnetPool> pools, std::span<const net::Subnet> taken);

// The first of `taken` that has an address of `subnet`; nullptr: none.
const net::Subnet* first_overlap(const net::Subnet& subnet, std::span<const net::Subnet> taken);

}  // namespace berth::ledger
