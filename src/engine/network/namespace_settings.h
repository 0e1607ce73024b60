// What a container's own network namespace lets its users do.
#pragma once

#include "runtime/plan.h"

namespace berth::engine {

// Where the plan has a network namespace of its own: any user may listen at any port, 80 as well, as nobody
// else is in there; and any group may ping without CAP_NET_RAW. The plan's own settings come after these. Its
// namespaces and maps are decided by now.
void add_namespace_settings(runtime::ContainerPlan& plan);

}  // namespace berth::engine
