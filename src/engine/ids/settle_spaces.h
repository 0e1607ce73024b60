// --pid and --ipc of a container that is being made.
#pragma once

#include "engine/container/container_spec.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::engine {

// Within the transaction that records the container, whose maps are decided: the names become IDs. A
// namespace belongs to the user namespace in which it was made, so only who has the same IDs can have it:
// Code::usage, with a way out, for others, and Code::refused where the other one is of another project.
Result<> settle_spaces(store::Store& store, const store::ContainerRecord& record, ContainerSpec& spec);

}  // namespace berth::engine
