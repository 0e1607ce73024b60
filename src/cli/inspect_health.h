// State.Health and Config.Healthcheck of `berth inspect`.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "engine/health/health_check.h"
#include "engine/health/health_state.h"

namespace berth::cli {

nlohmann::ordered_json describe_health(const engine::HealthState& state);
nlohmann::ordered_json describe_health_check(const engine::HealthCheck& check);

}  // namespace berth::cli
