#include "engine/ids/resource_rules.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/amounts.h"
#include "config/policy_checks.h"
#include "engine/ids/project_rules.h"

namespace berth::engine {

namespace {

constexpr uint64_t kUsualPeriod = 100'000;  // microseconds, as the kernel has it

// Microseconds of so many, in billionths of a processor. What no kernel takes is without a limit.
uint64_t share_of(uint64_t quota, uint64_t period) {
  constexpr uint64_t kLongestPeriod = 1'000'000'000;
  constexpr uint64_t kMostCpus = 65'536;
  if (period > kLongestPeriod || quota / period > kMostCpus) return UINT64_MAX;
  return quota / period * kNanoCpus + quota % period * kNanoCpus / period;
}

config::Amounts amounts_of(const ResourceSpec& spec) {
  config::Amounts amounts;
  if (spec.memory != 0) amounts.memory = spec.memory;
  if (spec.nano_cpus != 0) {
    amounts.nano_cpus = spec.nano_cpus;
  } else if (spec.cpu_quota != 0 && spec.cpu_quota != kNoLimit) {
    amounts.nano_cpus = share_of(spec.cpu_quota, spec.cpu_period == 0 ? kUsualPeriod : spec.cpu_period);
  }
  amounts.pids = spec.pids.value_or(kUsualPids);
  return amounts;
}

// By the policy, and by the project's.
Result<std::vector<config::ResourceAmounts>> rules_for(store::Database& db, const config::Config& config,
                                                       const std::string& user, const std::string& project) {
  std::vector<config::ResourceAmounts> rules{config.policy.most};
  if (!project.empty()) rules.push_back(TRY(project_rules(db, config, project, user)).policy.most);
  return rules;
}

Result<> check_by(const config::ResourceAmounts& most, const ResourceSpec& spec) {
  if (!spec.own_cgroup) return config::check_unlimited(most, "--cgroups=disabled");
  for (const CgroupFileSpec& file : spec.cgroup_files) TRY(config::check_cgroup_file(most, file.file));
  return config::check_amounts(most, amounts_of(spec));
}

using Amount = config::Setting<std::optional<uint64_t>> config::ResourceAmounts::*;

// By default, but no more than is allowed; what is allowed, where that is all that is said.
std::optional<uint64_t> amount_for(const config::Config& config,
                                   const std::vector<config::ResourceAmounts>& rules, Amount which) {
  std::optional<uint64_t> amount = (config.defaults.resources.*which).value;
  for (const config::ResourceAmounts& most : rules) {
    const std::optional<uint64_t>& limit = (most.*which).value;
    if (limit) amount = std::min(amount.value_or(*limit), *limit);
  }
  return amount;
}

void fill(const config::Config& config, const std::vector<config::ResourceAmounts>& rules,
          ResourceSpec& spec) {
  const auto amount = [&](Amount which) { return amount_for(config, rules, which); };
  if (spec.memory == 0) spec.memory = amount(&config::ResourceAmounts::memory).value_or(0);
  if (const auto cpus = amount(&config::ResourceAmounts::nano_cpus);
      cpus && spec.nano_cpus == 0 && spec.cpu_quota == 0) {
    if (spec.cpu_period == 0) {
      spec.nano_cpus = *cpus;
    } else {
      spec.cpu_quota = std::max<uint64_t>(spec.cpu_period / 1000 * (*cpus / (kNanoCpus / 1000)), 1);
    }
  }
  const auto pids = amount(&config::ResourceAmounts::pids);
  if (!spec.pids && pids)
    spec.pids = config.defaults.resources.pids.value ? *pids : std::min<uint64_t>(*pids, kUsualPids);
}

}  // namespace

Result<> settle_resources(store::Database& db, const config::Config& config, const std::string& user,
                          ContainerSpec& spec) {
  const std::vector<config::ResourceAmounts> rules = TRY(rules_for(db, config, user, spec.project));
  if (spec.resources.own_cgroup) fill(config, rules, spec.resources);
  for (const config::ResourceAmounts& most : rules) TRY(check_by(most, spec.resources));
  return {};
}

Result<> check_resources(store::Database& db, const config::Config& config, const std::string& user,
                         const ContainerSpec& spec) {
  for (const config::ResourceAmounts& most : TRY(rules_for(db, config, user, spec.project)))
    TRY(check_by(most, spec.resources));
  return {};
}

}  // namespace berth::engine
