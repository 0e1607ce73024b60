// What a new container's settings about networks come to: which networks, which ports of the host's.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "engine/container/container_spec.h"
#include "store/containers.h"
#include "store/images.h"
#include "store/store.h"

namespace berth::engine {

// Which kind of network it is where nothing was said: the configuration's, or a bridge if ports are to be
// published. To be called before the namespaces are chosen. Code::usage for what can't be with that kind.
Result<> settle_network_kind(ContainerSpec& spec, const config::Config& config);

// --network container:NAME: Code::usage, with a way out, where the two don't have the same IDs; the name
// becomes the ID, and the host name the other's.
Result<> settle_joined_network(store::Store& store, const store::ContainerRecord& record,
                               ContainerSpec& spec);

// Within the transaction that records the container: which networks it is in and which ports it will publish,
// those of --publish-all among them and with free ones where none was said. With `holds` it has its addresses
// and ports from now on, as the start follows at once. True where the default network was made, for
// store_copy.h.
Result<bool> record_networks(store::Store& store, const config::Config& config, const std::string& id,
                             const store::ImageRecord& image, bool holds, ContainerSpec& spec);

// Likewise for a container that is put on record again as it was, and as it is if it runs
// (recovery/rebuild.h).
Result<> restore_networks(store::Store& store, const std::string& id, const ContainerSpec& spec);

}  // namespace berth::engine
