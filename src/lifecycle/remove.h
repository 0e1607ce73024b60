// delete, and what is left of a container that could not be made.
#pragma once

#include "lifecycle/directory.h"
#include "lifecycle/record.h"

namespace berth::lifecycle {

// Ends all of its processes, removes its cgroup, then its directory. Whatever is gone already is no error.
Result<> remove_all(const Root& root, const Directory& directory, const Record& record);

// The same, and then the poststop hooks, whose failures are warnings (runtime.md, "Lifecycle").
Result<> destroy(const Root& root, const Directory& directory, const Record& record);

// delete. One that runs is Code::conflict, or with `force` is killed; with `force` one that is not there is
// no error, and neither a damaged record nor another command that is at it and does not end is an obstacle.
Result<> remove_container(const Root& root, const std::string& id, bool force);

}  // namespace berth::lifecycle
