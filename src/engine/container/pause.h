// Holding a container's processes still, and letting them go on.
#pragma once

#include <string_view>

#include "base/error.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::engine {

// Freezes all processes of the container's cgroup. Code::conflict if it does not run or is paused already.
Result<> pause_container(store::Store& store, const store::ContainerRecord& record);

// Code::conflict if it is not paused.
Result<> unpause_container(store::Store& store, const store::ContainerRecord& record);

// Lets a paused one go on without a word of it, for whoever is about to stop it: frozen, it takes no signal.
Result<> thaw_if_paused(const store::Store& store, std::string_view id);

// Whether a container that runs was paused and has not been let go on since.
bool is_paused(const store::Store& store, std::string_view id);

}  // namespace berth::engine
