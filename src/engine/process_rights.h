// What the processes of a container may do.
#pragma once

#include "engine/container/container_spec.h"
#include "engine/identity/users.h"
#include "seccomp/filter.h"
#include "store/store.h"
#include "sys/capabilities.h"

namespace berth::engine {

// `own_ids`: the container has a user namespace, in which all capabilities that the kernel knows can be had.
// Errors as of resolve_capabilities().
Result<sys::CapabilitySets> capabilities_of(const ContainerSpec& spec, const ResolvedUser& user,
                                            bool own_ids);

// The compiled filter, from the store's cache. `bounding` is the container's bounding set.
Result<seccomp::Filter> filter_of(const store::Store& store, const ContainerSpec& spec, uint64_t bounding);

}  // namespace berth::engine
