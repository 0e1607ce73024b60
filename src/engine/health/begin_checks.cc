#include "engine/health/begin_checks.h"

#include "engine/health/health_check.h"
#include "engine/health/health_state.h"

namespace berth::engine {

Result<monitor::HealthPlan> begin_health_checks(const store::Store& store, const std::string& id,
                                                const ContainerSpec& spec, const store::ImageRecord& image) {
  const oci::ImageConfig config = TRY(oci::parse_image_config(image.config));
  const std::optional<HealthCheck> check = health_check_of(spec, config);
  if (!check) return monitor::HealthPlan{};
  TRY(begin_health(store, id));
  if (check->by_hand) return monitor::HealthPlan{};
  // What a check may need beyond its timeout, to end and to act upon its outcome.
  constexpr std::chrono::nanoseconds kBeyond = std::chrono::seconds(60);
  const store::Locations& locations = store.locations();
  return monitor::HealthPlan{.interval = check->interval.count(),
                             .patience = (check->timeout + kBeyond).count(),
                             .words = {"berth", "--root", locations.root, "--runroot", locations.run_root,
                                       "healthcheck", "run", id}};
}

}  // namespace berth::engine
