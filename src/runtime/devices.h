// The device nodes and links of /dev (runtime-spec, "Default Devices").
#pragma once

#include "runtime/plan.h"
#include "safepath/root.h"

namespace berth::runtime {

// Those that every container has.
std::vector<DevicePlan> standard_devices();

// Adds one, in the place of another at the same path.
void put_device(std::vector<DevicePlan>& devices, DevicePlan device);

// Makes the plan's nodes and the standard links on what is mounted at /dev. The nodes are real ones on a
// tmpfs of the host's, owned by the container's IDs: devtmpfs can't be idmapped, and a user namespace may not
// make nodes.
Result<> make_devices(const std::vector<DevicePlan>& devices, const safepath::Root& root,
                      const ContainerPlan& plan);

}  // namespace berth::runtime
