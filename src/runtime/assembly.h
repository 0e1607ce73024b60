// Puts the container's mounts together in a private mount namespace of the host, before the container is let
// in. All paths inside are resolved in the root file system (safepath) and acted on by descriptor.
#pragma once

#include <vector>

#include "runtime/plan.h"
#include "runtime/rootfs.h"
#include "safepath/root.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

// File systems that belong to the container's namespaces, made inside them and handed over as detached
// mounts. Each is empty if the plan does not ask for it.
struct NamespacedMounts {
  sys::UniqueFd proc;
  sys::UniqueFd sysfs;
  sys::UniqueFd mqueue;
  sys::UniqueFd devpts;
};

// The sources of the plan's bind mounts as detached clones, mapped where asked, in the order of plan.mounts
// (an invalid descriptor for other kinds). Opened before anything of the container exists that could move
// them. `host_mounts`: the host's mount namespace, for those that are to follow what is mounted there later.
Result<std::vector<sys::UniqueFd>> open_bind_sources(const ContainerPlan& plan, int user_namespace,
                                                     int host_mounts);

// Mounts everything of the plan below `root` (an attached mount), makes devices, masks paths, sets what is
// read-only. `console` is the terminal's other end for /dev/console, or -1.
Result<> assemble(const ContainerPlan& plan, const safepath::Root& root, const HostIds& root_ids,
                  std::vector<sys::UniqueFd> bind_sources, NamespacedMounts namespaced, int console);

}  // namespace berth::runtime
