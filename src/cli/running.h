// Containers that run, for the commands that end or start them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/container/status.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::cli {

// The IDs of those that run, or wait to be started again.
std::vector<std::string> running_containers(const store::Store& store,
                                            const std::vector<store::ContainerRecord>& records);

// Stops one, and says if it had to be killed. `seconds`: engine::stop_options().
Result<> stop_one(store::Store& store, const store::ContainerRecord& record, std::optional<int64_t> seconds);

// Starts one, detached; one that runs is left as it is.
Result<> start_detached(store::Store& store, const store::ContainerRecord& record);

}  // namespace berth::cli
