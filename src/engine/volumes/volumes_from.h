// --volumes-from: the volumes and host directories of another container.
#pragma once

#include <string_view>

#include "base/error.h"
#include "engine/container/container_spec.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::engine {

// Adds the volumes and binds of the containers that spec.volumes_from names, where the container has no mount
// of its own at the place, and puts the containers' IDs in the place of their names. A source of an earlier
// one wins. "ro" makes them all read-only; nothing makes writable what the exporter may only read.
Result<> add_volumes_from(store::Store& store, ContainerSpec& spec);

// The containers that add_volumes_from() has found, in their order, as they are recorded now.
Result<std::vector<store::ContainerRecord>> exporters_of(store::Store& store, const ContainerSpec& spec);

// Who takes over volumes takes over the banks that the exporters were asked to be in (--bank), so that files
// have the same owners on the host as well, unless other IDs were asked for.
Result<> inherit_banks(store::Store& store, ContainerSpec& spec);

// Every ID that an exporter has must be one of the importer's too, or the importer could not see whose files
// are whose. Code::refused otherwise. Maps are as containers have them recorded: kernel text, empty for the
// host's IDs.
Result<> check_holds(std::string_view kind, std::string_view exporter, std::string_view exporters_map,
                     std::string_view importers_map);
// The same for all exporters of the spec and both kinds; within the transaction that records the importer.
Result<> check_volumes_from(store::Store& store, const ContainerSpec& spec,
                            const store::ContainerRecord& importer);

}  // namespace berth::engine
