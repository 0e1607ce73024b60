// The mounts of a container: the standard ones and those that were asked for.
#pragma once

#include "engine/plan_container.h"

namespace berth::engine {

// In the order in which they are mounted: /a before /a/b, so that a volume on /etc hides no /etc/hosts. What
// is asked for takes the place of a standard mount at the same target.
Result<std::vector<runtime::MountPlan>> plan_mounts(const PlanInputs& inputs);

}  // namespace berth::engine
