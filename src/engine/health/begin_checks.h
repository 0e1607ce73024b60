// What a container's monitor has to know of its health checks.
#pragma once

#include "engine/container/container_spec.h"
#include "monitor/health_plan.h"
#include "store/images.h"
#include "store/store.h"

namespace berth::engine {

// For a container that is about to be started, whose directory below the run root is there: what was known of
// its health is forgotten.
Result<monitor::HealthPlan> begin_health_checks(const store::Store& store, const std::string& id,
                                                const ContainerSpec& spec, const store::ImageRecord& image);

}  // namespace berth::engine
