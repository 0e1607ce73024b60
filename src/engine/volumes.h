// Named volumes: directories of the store that outlive containers.
#pragma once

#include "engine/container_spec.h"
#include "store/store.h"

namespace berth::engine {

// Makes the volumes that the spec names and that are not there yet, gives unnamed ones a name, and puts the
// directory of each into the spec as its source.
Result<> prepare_volumes(store::Store& store, ContainerSpec& spec);

}  // namespace berth::engine
