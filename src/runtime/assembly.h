// Puts the container's mounts together in a private mount namespace of the host, before the container is let
// in. All paths inside are resolved in the root file system (safepath) and acted on by descriptor.
#pragma once

#include <vector>

#include "runtime/plan.h"
#include "runtime/rootfs.h"
#include "safepath/root.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

// Mounts everything of the plan below `root` (an attached mount), makes devices, masks paths, sets paths
// read-only; the root is not yet. `namespaced`: the mounts of MountKind::namespaced, detached, in the plan's
// order. `console` is the terminal's other end for /dev/console, or -1.
Result<> assemble(const ContainerPlan& plan, const safepath::Root& root, const HostIds& root_ids,
                  std::vector<sys::UniqueFd> bind_sources, std::vector<sys::UniqueFd> namespaced,
                  int console);

}  // namespace berth::runtime
