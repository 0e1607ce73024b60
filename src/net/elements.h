// Which elements a network and a container have in the table's sets and maps. Pure; rules.cc has the sets.
#pragma once

#include <vector>

#include "net/nf_tables.h"
#include "net/plan.h"

namespace berth::net {

std::vector<Element> elements_of(const BridgePlan& bridge);

// Of the container's addresses and published ports.
std::vector<Element> container_elements(const NetworkPlan& plan);

}  // namespace berth::net
