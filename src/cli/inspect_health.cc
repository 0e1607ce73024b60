#include "cli/inspect_health.h"

#include "cli/times.h"

namespace berth::cli {

using Json = nlohmann::ordered_json;

Json describe_health(const engine::HealthState& state) {
  Json log = Json::array();
  for (const engine::HealthResult& result : state.results) {
    log.push_back({{"Start", rfc3339(std::chrono::nanoseconds(result.begun_at))},
                   {"End", rfc3339(std::chrono::nanoseconds(result.ended_at))},
                   {"ExitCode", result.exit_code},
                   {"Output", result.output}});
  }
  return {{"Status", state.status}, {"FailingStreak", state.failing_streak}, {"Log", std::move(log)}};
}

Json describe_health_check(const engine::HealthCheck& check) {
  std::vector<std::string> test = check.command;
  test.insert(test.begin(), "CMD");
  return {{"Test", test},
          {"Interval", check.by_hand ? 0 : check.interval.count()},
          {"Timeout", check.timeout.count()},
          {"StartPeriod", check.start_period.count()},
          {"Retries", check.retries}};
}

}  // namespace berth::cli
