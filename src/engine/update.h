// Changing what a container may use.
#pragma once

#include "base/error.h"
#include "engine/container/resource_spec.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::engine {

// Makes `wanted` hold for a container: at once, if it runs, and for its next starts. If the kernel refuses a
// value nothing is kept, and what was written to the cgroup before that stays.
Result<> update_resources(store::Store& store, store::ContainerRecord record, const ResourceSpec& wanted);

}  // namespace berth::engine
