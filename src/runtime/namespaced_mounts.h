// proc, sysfs, mqueue, devpts and cgroup: file systems of the container's own namespaces, made from inside
// them and handed over as detached mounts.
#pragma once

#include <functional>
#include <vector>

#include "runtime/plan.h"
#include "sys/channel.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

struct NamespacedSet {
  std::vector<sys::UniqueFd> mounts;  // in the plan's order
  sys::UniqueFd terminal;             // the master of the container's terminal, if it has one
};

using MountsUser = std::function<Result<>(const std::vector<sys::UniqueFd>&)>;

// Inside, in a process that has a mount namespace of the container's user namespace: makes what the plan asks
// for. `before_use` is called with the mounts, before sysctls are set and the terminal is opened in them.
Result<NamespacedSet> make_mounts(const ContainerPlan& plan, const MountsUser& before_use = {});

// Inside, to the monitor.
Result<> send_mounts(const NamespacedSet& set, sys::Channel& channel);

// Outside.
Result<NamespacedSet> receive_mounts(const ContainerPlan& plan, sys::Channel& channel);

}  // namespace berth::runtime
