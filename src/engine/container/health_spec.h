// --health-cmd and its kin: what of the image's HEALTHCHECK is to be otherwise.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace berth::engine {

// Spans in nanoseconds. 0 and empty: as the image says, or the default.
struct HealthSpec {
  std::vector<std::string> test;  // as the image has it: "NONE"; "CMD", words…; "CMD-SHELL", a line
  int64_t interval = 0;
  int64_t timeout = 0;
  int64_t start_period = 0;
  int64_t retries = 0;
  bool by_hand = false;    // --health-interval disable: nobody runs it but `berth healthcheck run`
  std::string on_failure;  // "", "none", "kill", "restart", "stop"
  bool operator==(const HealthSpec&) const = default;
};

void to_json(nlohmann::json& document, const HealthSpec& spec);
void from_json(const nlohmann::json& document, HealthSpec& spec);

}  // namespace berth::engine
