// From a container's networks as values to the kernel, and what is left there when nobody has taken it away.
// Bridges and rules are the host's and are made here if they are not there; the container's own interfaces
// and ports are its monitor's (monitor/network.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/plan.h"
#include "store/store.h"
#include "sys/channel.h"
#include "sys/file.h"

namespace berth::engine {

// Has the monitor connect the networks; nothing if there are none. To be called as soon as the addresses are
// certain, for it happens beside the caller's further planning; what goes wrong there is told as the start's
// failure. `warnings` get what was changed on the host, in whole sentences.
Result<> connect_networks(store::Store& store, sys::Channel& monitor, const net::NetworkPlan& plan,
                          std::vector<std::string>& warnings);

// Bridges and rules alone: for a network that somebody has to listen in before a container does.
Result<> prepare_bridge(store::Store& store, const net::BridgePlan& bridge,
                        std::vector<std::string>& warnings);

// The network of a container that runs was changed: from now on this is what its end takes away, and what a
// repair brings back.
Result<> record_networks_of(store::Store& store, const net::NetworkPlan& plan);

// For who changes the networks of a container that runs, or takes them away: waits for whoever else does.
// ENOENT where the container has ended, and its directory below the run root with it. What is changed has to
// be changed while first_process() lives: its monitor takes everything away after it, by the record.
Result<sys::FileLock> lock_networks(const store::Store& store, std::string_view id);

// Takes away what a container that does not run any more has left; nothing where its monitor has done it.
// Before its addresses are free for others.
Result<> disconnect_networks(store::Store& store, std::string_view id);

// Brings the rules back, with what all running containers have in them, if somebody has flushed them. Costs
// some tens of microseconds if not, and nothing where no network has been used since the boot.
Result<> repair_networks(store::Store& store);

}  // namespace berth::engine
