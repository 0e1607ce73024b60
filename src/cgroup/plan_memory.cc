#include "cgroup/limit_planner.h"

namespace berth::cgroup {

namespace {

std::optional<int64_t> given(std::optional<int64_t> value) {
  return value == 0 ? std::nullopt : value;
}

// -1 is the spec's word for no limit; other negative numbers mean nothing.
Result<> check_bytes(const std::optional<int64_t>& value, std::string_view limit) {
  if (!value || *value >= kUnlimited) return {};
  return refuse_limit(limit, fmt::format("{} is no number of bytes (-1 is unlimited)", *value));
}

Result<> check_values(const MemoryLimits& limits) {
  TRY(check_bytes(limits.limit, "memory.limit"));
  TRY(check_bytes(limits.reservation, "memory.reservation"));
  TRY(check_bytes(limits.swap, "memory.swap"));
  TRY(check_bytes(limits.kernel, "memory.kernel"));
  TRY(check_bytes(limits.kernel_tcp, "memory.kernelTCP"));
  if (limits.swappiness.value_or(0) > 100) {
    return refuse_limit("memory.swappiness", fmt::format("{} is not 0 to 100", *limits.swappiness));
  }
  return {};
}

// The memory limit that will hold: the new one, or the one that is there.
std::optional<int64_t> limit_in_force(const MemoryLimits& limits, const Facts& facts) {
  const auto asked = given(limits.limit);
  return asked ? asked : facts.memory_limit;
}

Result<> check_swap(const MemoryLimits& limits, const Facts& facts) {
  const auto swap = given(limits.swap);
  if (!swap || *swap == kUnlimited) return {};
  const auto limit = limit_in_force(limits, facts);
  if (!limit || *limit == kUnlimited) {
    return refuse_limit("memory.swap",
                        "it limits memory and swap together, so memory.limit has to be limited too");
  }
  if (*swap < *limit) {
    return refuse_limit("memory.swap", fmt::format("it limits memory and swap together, so {} is less than "
                                                   "memory.limit ({}) leaves",
                                                   *swap, *limit));
  }
  return {};
}

// linux.resources.memory.checkBeforeUpdate: no limit under which somebody would be killed at once.
Result<> check_usage(const MemoryLimits& limits, const Facts& facts) {
  const auto limit = given(limits.limit);
  if (!limits.check_before_update || !limit || *limit == kUnlimited || !facts.memory_usage) return {};
  if (*facts.memory_usage <= *limit) return {};
  return refuse_limit("memory.limit", fmt::format("{} bytes are in use, more than the new limit of {}",
                                                  *facts.memory_usage, *limit));
}

// The kernel holds limit_in_bytes <= memsw.limit_in_bytes at every moment (memory.rst, 2.4).
void plan_v1_limit_and_swap(const MemoryLimits& limits, LimitPlanner& planner) {
  const Facts& facts = planner.facts();
  const auto limit = given(limits.limit);
  auto swap = given(limits.swap);
  if (!swap && limit == kUnlimited && facts.swap) swap = kUnlimited;
  const auto write_limit = [&] {
    if (limit) planner.write("memory", "memory.limit_in_bytes", std::to_string(*limit), "memory.limit");
  };
  const bool raises_first =
      swap == kUnlimited || (limit && facts.memory_and_swap_limit &&
                             (*limit > *facts.memory_and_swap_limit || limit == kUnlimited));
  if (!raises_first) write_limit();
  if (swap) planner.write("memory", "memory.memsw.limit_in_bytes", std::to_string(*swap), "memory.swap");
  if (raises_first) write_limit();
}

Result<> plan_v1(const MemoryLimits& limits, LimitPlanner& planner) {
  const auto swap = given(limits.swap);
  if (swap && *swap != kUnlimited && !planner.facts().swap) {
    Error error = refuse_limit("memory.swap", "this kernel does not account swap").error();
    return std::unexpected(std::move(error).with_hint("Boot it with swapaccount=1, or leave the limit out."));
  }
  MemoryLimits here = limits;
  if (!planner.facts().swap) here.swap.reset();
  // With a hierarchy that is turned off, the limits below would be those of other cgroups.
  if (limits.use_hierarchy) {
    planner.write("memory", "memory.use_hierarchy", *limits.use_hierarchy ? "1" : "0", "memory.useHierarchy");
  }
  plan_v1_limit_and_swap(here, planner);
  const std::pair<std::optional<int64_t>, std::pair<const char*, const char*>> others[] = {
      {given(limits.reservation), {"memory.soft_limit_in_bytes", "memory.reservation"}},
      {given(limits.kernel), {"memory.kmem.limit_in_bytes", "memory.kernel"}},
      {given(limits.kernel_tcp), {"memory.kmem.tcp.limit_in_bytes", "memory.kernelTCP"}},
  };
  for (const auto& [value, names] : others) {
    if (value) planner.write("memory", names.first, std::to_string(*value), names.second);
  }
  if (limits.swappiness) {
    planner.write("memory", "memory.swappiness", std::to_string(*limits.swappiness), "memory.swappiness");
  }
  if (limits.disable_oom_killer) {
    planner.write("memory", "memory.oom_control", *limits.disable_oom_killer ? "1" : "0",
                  "memory.disableOOMKiller");
  }
  return {};
}

Result<> refuse_what_v2_has_not(const MemoryLimits& limits) {
  if (limits.kernel.value_or(0) > 0) return not_on_v2("memory.kernel");
  if (limits.kernel_tcp.value_or(0) > 0) return not_on_v2("memory.kernelTCP");
  if (limits.swappiness) return not_on_v2("memory.swappiness");
  if (limits.disable_oom_killer.value_or(false)) return not_on_v2("memory.disableOOMKiller");
  if (!limits.use_hierarchy.value_or(true))
    return refuse_limit("memory.useHierarchy", "cgroup v2 always has one");
  return {};
}

Result<> plan_v2_swap(const MemoryLimits& limits, LimitPlanner& planner) {
  auto swap = given(limits.swap);
  if (!swap && given(limits.limit) == kUnlimited) swap = kUnlimited;
  if (!swap) return {};
  const int64_t alone = *swap == kUnlimited ? kUnlimited : *swap - *limit_in_force(limits, planner.facts());
  if (planner.facts().swap) {
    planner.write("memory", "memory.swap.max", v2_value(alone), "memory.swap");
  } else if (alone > 0) {
    // No swap at all and no limit are what a kernel without swap gives anyway.
    return refuse_limit("memory.swap", "this kernel does not account swap");
  }
  return {};
}

}  // namespace

Result<> plan_memory(const MemoryLimits& limits, LimitPlanner& planner) {
  const bool any = given(limits.limit) || given(limits.reservation) || given(limits.swap) ||
                   given(limits.kernel) || given(limits.kernel_tcp) || limits.swappiness ||
                   limits.disable_oom_killer.value_or(false) || limits.use_hierarchy;
  TRY(check_values(limits));
  if (!any) return {};
  const Version version = TRY(planner.version("memory", "memory"));
  TRY(check_swap(limits, planner.facts()));
  TRY(check_usage(limits, planner.facts()));
  if (version == Version::v1) return plan_v1(limits, planner);
  TRY(refuse_what_v2_has_not(limits));
  TRY(plan_v2_swap(limits, planner));
  if (const auto limit = given(limits.limit))
    planner.write("memory", "memory.max", v2_value(*limit), "memory.limit");
  if (const auto low = given(limits.reservation)) {
    planner.write("memory", "memory.low", v2_value(*low), "memory.reservation");
  }
  return {};
}

}  // namespace berth::cgroup
