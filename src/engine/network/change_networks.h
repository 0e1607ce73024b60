// Networks that a container gets or loses once it is made, running or not.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "config/config.h"
#include "engine/container/network_spec.h"
#include "ledger/networks.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::engine {

// Whether a command is just starting the container, or has yet to put its end on record: then it has
// addresses, and does not run. Within the caller's transaction that keeps them from going on; what follows
// may be called in one where it is false.
Result<bool> is_in_between(store::Store& store, const std::string& id);

// Within the caller's transaction, who then commits and calls told_of_networks(). The container's record has
// the new settings when it returns. A container that runs is in the network at once; if the commit fails
// after all, it is out of it again at its end. Code::conflict where it is in that network already,
// Code::usage for one whose network is not a bridge.
Result<> connect_container(store::Store& store, const config::Config& config, AttachmentSpec attachment,
                           store::ContainerRecord& record, bool& network_made);

// Code::not_found where it is not in the network; with `force` that is no error.
Result<> disconnect_container(store::Store& store, std::string_view network, bool force,
                              store::ContainerRecord& record);

// The name server's share.
void told_of_networks(store::Store& store);

}  // namespace berth::engine
