// --health-cmd and its kin, of `berth run` and `berth create`.
#pragma once

#include <optional>
#include <string>

#include "cli/flags.h"
#include "engine/container/health_spec.h"

namespace berth::cli {

struct HealthFlags {
  std::optional<std::string> command;
  std::string interval;
  std::string timeout;
  std::string start_period;
  std::optional<int64_t> retries;
  std::string on_failure;
  bool none = false;
};

void add_health_flags(Flags& line, HealthFlags& flags);

// Code::usage.
Result<engine::HealthSpec> health_spec(const HealthFlags& flags);

}  // namespace berth::cli
