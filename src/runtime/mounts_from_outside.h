// The file systems of the container's namespaces (namespaced_mounts.h) where the kernel can't hand a mount
// over from one mount namespace to another (before Linux 5.12): a process of the host's user namespace joins
// the container's other namespaces and makes them in the maker's mount namespace. Their superblocks belong to
// the same namespaces as if the container had made them.
#pragma once

#include "runtime/namespaced_mounts.h"
#include "runtime/plan.h"
#include "sys/channel.h"

namespace berth::runtime {

// Inside: says that all namespaces are there. `cgroups`: that file systems of cgroups are to be made, which
// show the tree from this process's cgroup on; a namespace that is there for nothing else is sent along.
Result<> leave_mounts_to_maker(bool cgroups, sys::Channel& channel);

// Outside, when the process says so: in the caller's private mount namespace, which has a place for mounts
// (sys/mount_place.h). `user_namespace`: the container's, -1 for the host's.
Result<NamespacedSet> make_mounts_outside(const ContainerPlan& plan, pid_t process, int user_namespace,
                                          sys::Channel& channel);

}  // namespace berth::runtime
