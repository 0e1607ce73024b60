// Which namespaces a container is to have, and those that are there already, opened.
#pragma once

#include "base/error.h"
#include "config/config.h"
#include "engine/container/container_spec.h"
#include "runtime/container.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::engine {

// For a container that does not exist yet; whether it may have them is found out when its IDs are decided.
// --userns container:NAME joins the other's user namespace while that one runs. While it does not, nothing is
// there to be joined, and the container gets a namespace of its own with the same map.
Result<runtime::Namespaces> namespaces_for_new(store::Store& store, const ContainerSpec& spec,
                                               const config::Config& config);

// The same for one that is there. Code::not_found where the namespace of --userns ns:PATH has gone.
Result<runtime::Namespaces> namespaces_of(store::Store& store, const store::ContainerRecord& record,
                                          const ContainerSpec& spec);

}  // namespace berth::engine
