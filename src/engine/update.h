// Changing what a container may use, and when it is started again.
#pragma once

#include <optional>

#include "base/error.h"
#include "engine/container/resource_spec.h"
#include "engine/container/restart_spec.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::engine {

// What is to hold from now on; what is empty stays as it is.
struct ContainerUpdate {
  std::optional<ResourceSpec> resources;
  std::optional<RestartSpec> restart;  // its policy alone
};

// Makes it hold for a container: at once, if it runs, and for its next starts. If the kernel refuses a value
// nothing is kept, and what was written to the cgroup before that stays. Code::usage for a restart policy of
// a container that is removed when it ends.
Result<> update_container(store::Store& store, store::ContainerRecord record, const ContainerUpdate& update);

}  // namespace berth::engine
