// --filter of `berth volume ls` and `berth volume prune`.
#pragma once

#include <string>
#include <vector>

#include "engine/volumes/volume_admin.h"

namespace berth::cli {

// The volumes that all filters let through: name=TEXT (a part of it), label=KEY[=VALUE], label!=KEY[=VALUE],
// dangling=true|false, driver=local, until=MOMENT (made before it, cli/times.h). Of several with the same key
// one has to hold, but for label, where all do, as podman has it. Code::usage for any other.
Result<std::vector<engine::Volume>> filtered(std::vector<engine::Volume> volumes,
                                             const std::vector<std::string>& filters);

}  // namespace berth::cli
