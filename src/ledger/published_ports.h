// The host's ports that containers publish, so that a clash is told with a name before anything is started. A
// part of the store's database; every function here that changes something is called within the caller's
// transaction.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/database.h"

namespace berth::ledger {

struct HostPorts {
  std::string protocol;  // "tcp", "udp", "sctp"
  std::string host{};    // an address of the host's as net::Address::text() has it; empty: all
  uint16_t first = 0;    // both ends included
  uint16_t last = 0;
};

// Whether two can't be published at once: a port of both, on an address of both.
bool clash(const HostPorts& one, const HostPorts& other);

// What the container will publish when it runs, in the place of what was recorded before.
Result<> record_ports(store::Database& db, std::string_view container, std::span<const HostPorts> ports);

// That the container runs, and has them for itself. Code::conflict where another one has some of them, with
// its name.
Result<> hold_ports(store::Database& db, std::string_view container);

// Whether another container publishes one of them or will when it runs: who looks for a free port takes
// another.
Result<bool> is_wanted(store::Database& db, std::string_view container, const HostPorts& ports);

}  // namespace berth::ledger
