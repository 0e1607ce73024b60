#include "engine/container/health_spec.h"

#include <nlohmann/json.hpp>

namespace berth::engine {

void to_json(nlohmann::json& document, const HealthSpec& spec) {
  document = {{"test", spec.test},
              {"interval", spec.interval},
              {"timeout", spec.timeout},
              {"start_period", spec.start_period},
              {"retries", spec.retries},
              {"by_hand", spec.by_hand},
              {"on_failure", spec.on_failure}};
}

void from_json(const nlohmann::json& document, HealthSpec& spec) {
  const HealthSpec none;
  spec.test = document.value("test", none.test);
  spec.interval = document.value("interval", none.interval);
  spec.timeout = document.value("timeout", none.timeout);
  spec.start_period = document.value("start_period", none.start_period);
  spec.retries = document.value("retries", none.retries);
  spec.by_hand = document.value("by_hand", none.by_hand);
  spec.on_failure = document.value("on_failure", none.on_failure);
}

}  // namespace berth::engine
