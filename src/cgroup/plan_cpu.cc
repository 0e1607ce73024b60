#include <cmath>

#include "cgroup/limit_planner.h"

namespace berth::cgroup {

namespace {

constexpr uint64_t kFewestShares = 2;      // the kernel's MIN_SHARES
constexpr uint64_t kMostShares = 262'144;  // and MAX_SHARES

template <typename T>
std::optional<T> given(std::optional<T> value) {
  return value == T{0} ? std::nullopt : value;
}

Result<> check_values(const CpuLimits& limits) {
  if (limits.quota && *limits.quota < kUnlimited) {
    return refuse_limit("cpu.quota", fmt::format("{} is no time (-1 is unlimited)", *limits.quota));
  }
  if (limits.idle && *limits.idle != 0 && *limits.idle != 1) {
    return refuse_limit("cpu.idle", fmt::format("{} is not 0 or 1", *limits.idle));
  }
  for (const auto& [list, limit] :
       {std::pair(&limits.cpus, "cpu.cpus"), std::pair(&limits.mems, "cpu.mems")}) {
    if (list->find_first_not_of("0123456789,- ") == std::string::npos) continue;
    return refuse_limit(limit, fmt::format("\"{}\" is not a list like 0-3,7", printable(*list)));
  }
  return {};
}

// An idle cgroup takes no shares (sched_group_set_shares() refuses), so it is made idle last and busy first.
void plan_idle_and(const CpuLimits& limits, LimitPlanner& planner, std::string_view file, std::string value) {
  const auto write_idle = [&] { planner.write("cpu", "cpu.idle", std::to_string(*limits.idle), "cpu.idle"); };
  if (limits.idle == 0) write_idle();
  if (!value.empty()) planner.write("cpu", file, std::move(value), "cpu.shares");
  if (limits.idle == 1) write_idle();
}

// A quota has to fit the period and a burst the quota, both as they are at that moment; so what may be too
// early is tried again.
Result<> plan_v1(const CpuLimits& limits, LimitPlanner& planner) {
  constexpr auto kLater = Write::When::now_or_last;
  const auto shares = given(limits.shares);
  // The kernel would take the nearest without a word.
  if (shares && (*shares < kFewestShares || *shares > kMostShares)) {
    return refuse_limit("cpu.shares", fmt::format("{} is not {} to {}", *shares, kFewestShares, kMostShares));
  }
  plan_idle_and(limits, planner, "cpu.shares", shares ? std::to_string(*shares) : "");
  if (const auto period = given(limits.period)) {
    planner.write("cpu", "cpu.cfs_period_us", std::to_string(*period), "cpu.period", kLater);
  }
  if (limits.burst)
    planner.write("cpu", "cpu.cfs_burst_us", std::to_string(*limits.burst), "cpu.burst", kLater);
  if (const auto quota = given(limits.quota)) {
    planner.write("cpu", "cpu.cfs_quota_us", std::to_string(*quota), "cpu.quota");
  }
  if (const auto period = given(limits.realtime_period)) {
    planner.write("cpu", "cpu.rt_period_us", std::to_string(*period), "cpu.realtimePeriod", kLater);
  }
  if (const auto runtime = given(limits.realtime_runtime)) {
    planner.write("cpu", "cpu.rt_runtime_us", std::to_string(*runtime), "cpu.realtimeRuntime");
  }
  return {};
}

Result<> plan_v2(const CpuLimits& limits, LimitPlanner& planner) {
  if (given(limits.realtime_period)) return not_on_v2("cpu.realtimePeriod");
  if (given(limits.realtime_runtime)) return not_on_v2("cpu.realtimeRuntime");
  const auto shares = given(limits.shares);
  plan_idle_and(limits, planner, "cpu.weight", shares ? std::to_string(weight_of_shares(*shares)) : "");
  if (limits.burst) {
    planner.write("cpu", "cpu.max.burst", std::to_string(*limits.burst), "cpu.burst",
                  Write::When::now_or_last);
  }
  const auto quota = given(limits.quota);
  const auto period = given(limits.period);
  if (!quota && !period) return {};
  std::string value = quota ? v2_value(*quota) : planner.facts().cpu_quota;
  if (period) value += fmt::format(" {}", *period);
  planner.write("cpu", "cpu.max", std::move(value), quota ? "cpu.quota" : "cpu.period");
  return {};
}

}  // namespace

// The curve through (2, 1), (1024, 100) and (262144, 10000): the ends and the defaults of both scales.
uint64_t weight_of_shares(uint64_t shares) {
  constexpr uint64_t kMostWeight = 10'000;
  if (shares == 0) return 0;
  if (shares <= kFewestShares) return 1;
  if (shares >= kMostShares) return kMostWeight;
  const double l = std::log2(static_cast<double>(shares));
  return static_cast<uint64_t>(std::ceil(std::pow(10.0, (l * l + 125.0 * l) / 612.0 - 7.0 / 34.0)));
}

Result<> plan_cpu(const CpuLimits& limits, LimitPlanner& planner) {
  TRY(check_values(limits));
  if (given(limits.shares) || given(limits.quota) || limits.burst || given(limits.period) || limits.idle ||
      given(limits.realtime_runtime) || given(limits.realtime_period)) {
    const Version version = TRY(planner.version("cpu", "cpu"));
    TRY(version == Version::v1 ? plan_v1(limits, planner) : plan_v2(limits, planner));
  }
  if (limits.cpus.empty() && limits.mems.empty()) return {};
  TRY(planner.version("cpuset", limits.cpus.empty() ? "cpu.mems" : "cpu.cpus"));
  if (!limits.cpus.empty()) planner.write("cpuset", "cpuset.cpus", limits.cpus, "cpu.cpus");
  if (!limits.mems.empty()) planner.write("cpuset", "cpuset.mems", limits.mems, "cpu.mems");
  return {};
}

}  // namespace berth::cgroup
