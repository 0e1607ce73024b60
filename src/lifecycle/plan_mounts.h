// The mounts of a bundle's configuration in the runtime's plan. Pure.
#pragma once

#include <vector>

#include "lifecycle/plan.h"

namespace berth::lifecycle {

// `place` in errors is that in config.json: "mounts[2]".
Result<std::vector<runtime::MountPlan>> plan_mounts(const bundle::Config& config, const PlanFacts& facts);

}  // namespace berth::lifecycle
