// What a container has of its networks while it runs, and what that is to the kernel.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/container/container_spec.h"
#include "ledger/network_leases.h"
#include "net/plan.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::engine {

// A network that a container is in, and the addresses that it has there.
struct TakenNetwork {
  ledger::Network network;
  AttachmentSpec attachment;
  ledger::Lease lease;
};

// What is asked for of one of the container's networks, which was checked when it was.
ledger::AddressWish wish_of(const ContainerSpec& spec, const AttachmentSpec& attachment);
net::Protocol protocol_of(std::string_view name);

// Addresses in each of the container's networks and its ports on the host, for as long as it runs; what it
// has already it keeps. Within the caller's transaction. Code::conflict, with who has what there is none of.
Result<std::vector<TakenNetwork>> take_leases(store::Database& db, const std::string& id,
                                              const ContainerSpec& spec);

// The same within a transaction of its own; none where the container is in no network.
Result<std::vector<TakenNetwork>> take_leases_now(store::Database& db, const std::string& id,
                                                  const ContainerSpec& spec);

// What it has; nothing for those that it has none of.
Result<std::vector<TakenNetwork>> networks_of(store::Database& db, const std::string& id,
                                              const ContainerSpec& spec);

// What the monitor is to apply.
net::NetworkPlan network_plan(const store::Store& store, const std::string& id, const ContainerSpec& spec,
                              const std::vector<TakenNetwork>& networks);

// The addresses once more in a file below the run root, for the day on which the database is lost while the
// container runs.
struct NotedLease {
  std::string network;  // ID
  ledger::Lease lease;
};
Result<> note_leases(const store::Store& store, const std::string& id,
                     const std::vector<TakenNetwork>& networks);
// Nothing where there is no such file, or for what can't be read of it.
std::vector<NotedLease> noted_leases(const store::Store& store, const std::string& id);

}  // namespace berth::engine
