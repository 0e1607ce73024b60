// --device: nodes of the host's for a container.
#pragma once

#include <vector>

#include "engine/container/container_spec.h"
#include "runtime/plan.h"

namespace berth::engine {

// Looks at the host's nodes. A directory stands for all nodes in it. The nodes belong to the container's
// root.
Result<std::vector<runtime::DevicePlan>> resolve_devices(const std::vector<DeviceSpec>& devices);

}  // namespace berth::engine
