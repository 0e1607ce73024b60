// Volumes: directories of the store that outlive containers. One without a name of its own ("anonymous")
// belongs to one container and goes with it if that was made with --rm.
#pragma once

#include <string_view>

#include "engine/container_spec.h"
#include "store/store.h"

namespace berth::engine {

// Gives unnamed volumes a name, and puts the directory of each volume into the spec as its source. Changes
// nothing in the store.
Result<> name_volumes(const store::Store& store, ContainerSpec& spec);

// Makes the directories that are not there yet. The caller holds kCreatingLock until they are recorded; what
// a crash leaves in between is empty, and remove_empty_volumes() takes it away.
Result<> make_volumes(store::Store& store, const ContainerSpec& spec);

// Within the caller's transaction: the volumes, and that the container uses them.
Result<> record_volumes(store::Store& store, std::string_view container_id, const ContainerSpec& spec);

// Takes away what make_volumes() made for a container that came to nothing.
Result<> remove_unrecorded_volumes(store::Store& store, const ContainerSpec& spec);

// Takes away the directories that nobody came to record. Called while nobody holds kCreatingLock.
Result<> remove_empty_volumes(store::Store& store);

// The directories of the container's anonymous volumes, then their records. Before the container's own.
Result<> remove_anonymous_volumes(store::Store& store, std::string_view container_id);

}  // namespace berth::engine
