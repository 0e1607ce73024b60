// The device nodes and links of /dev (runtime-spec, "Default Devices").
#pragma once

#include "runtime/plan.h"
#include "safepath/root.h"

namespace berth::runtime {

// Makes the plan's nodes and the standard links on what is mounted at /dev. The nodes are real ones on a
// tmpfs of the host's, owned by the container's IDs: devtmpfs can't be idmapped, and a user namespace may not
// make nodes.
Result<> make_devices(const std::vector<DevicePlan>& devices, const safepath::Root& root,
                      const ContainerPlan& plan);

}  // namespace berth::runtime
