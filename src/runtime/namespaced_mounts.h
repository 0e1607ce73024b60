// proc, sysfs, mqueue and devpts: file systems of the container's own namespaces, made from inside them.
#pragma once

#include "runtime/assembly.h"
#include "runtime/plan.h"
#include "sys/channel.h"

namespace berth::runtime {

struct NamespacedSet {
  NamespacedMounts mounts;
  sys::UniqueFd terminal;  // the master of the container's terminal, if it has one
};

// Inside, in a process that has a mount namespace of the container's user namespace: makes what the plan asks
// for.
Result<NamespacedSet> make_mounts(const ContainerPlan& plan);

// Inside, to the monitor.
Result<> send_mounts(const NamespacedSet& set, sys::Channel& channel);

// Outside.
Result<NamespacedSet> receive_mounts(sys::Channel& channel);

}  // namespace berth::runtime
