// When a container is started again without a person, and how it is stopped: the part of ContainerSpec for
// its life cycle.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::engine {

struct RestartSpec {
  std::string policy = "no";  // "no", "on-failure", "always", "unless-stopped"
  uint64_t most = 0;          // on-failure: so often and no more; 0: without end
  // Seconds that a stop waits after its signal; none: kStopTimeout. INT64_MAX and what is near it: for ever.
  std::optional<uint64_t> stop_timeout;

  [[nodiscard]] bool any() const { return policy != "no"; }
  bool operator==(const RestartSpec&) const = default;
};

inline constexpr int64_t kStopTimeout = 10;

// "always", "on-failure:5": --restart as podman and Docker have it.
Result<RestartSpec> parse_restart_policy(std::string_view text);

// For nlohmann::json.
void to_json(nlohmann::json& document, const RestartSpec& spec);
void from_json(const nlohmann::json& document, RestartSpec& spec);

}  // namespace berth::engine
