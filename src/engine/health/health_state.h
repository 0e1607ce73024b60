// What the health checks of a running container have said so far: a small file in its directory below the run
// root, which goes with the run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/health/health_check.h"
#include "store/store.h"

namespace berth::engine {

// As podman and Docker call them.
inline constexpr const char* kHealthStarting = "starting";
inline constexpr const char* kHealthy = "healthy";
inline constexpr const char* kUnhealthy = "unhealthy";

struct HealthResult {
  int64_t begun_at = 0;  // nanoseconds since 1970, as the next
  int64_t ended_at = 0;
  int64_t exit_code = 0;  // -1 for a check that was killed at its timeout
  std::string output;     // the first kLongestHealthOutput bytes
};

// So much of what a check writes is kept, and so many results.
inline constexpr size_t kLongestHealthOutput = 4096;
inline constexpr size_t kHealthResults = 5;

struct HealthState {
  std::string status = kHealthStarting;
  int64_t failing_streak = 0;
  std::vector<HealthResult> results;  // the newest last
};

// nullopt where no container with a health check runs.
std::optional<HealthState> health_state(const store::Store& store, std::string_view id);

// For a container that is about to be started: what was before is forgotten.
Result<> begin_health(const store::Store& store, std::string_view id);

// What a result makes of a state. `started_at` is when the container was. Pure.
HealthState with_result(HealthState state, HealthResult result, const HealthCheck& check, int64_t started_at);

// Records a result; gives the state before and after. The file is locked meanwhile, as checks by hand and by
// the monitor may end at the same time. ENOENT where the container's run is over.
struct HealthChange {
  HealthState before;
  HealthState after;
};
Result<HealthChange> record_health(const store::Store& store, std::string_view id, const HealthResult& result,
                                   const HealthCheck& check, int64_t started_at);

}  // namespace berth::engine
