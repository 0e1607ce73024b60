#include "config/policy_checks.h"

#include <algorithm>
#include <array>

#include "base/amounts.h"
#include "base/nearest.h"

namespace berth::config {

namespace {

constexpr const char* kHint = "No flag overrides the policy. `berth config` shows all of it.";

// "ASKED is refused by the policy: RULE (PLACE)".
std::unexpected<Error> refuse(std::string_view asked, std::string_view rule, const Origin& origin) {
  return std::unexpected(
      Error{Code::refused, 0, fmt::format("{} is refused by the policy: {} ({})", asked, rule, origin.text()),
            kHint});
}

std::string describe(const std::vector<idmap::IdRange>& ranges) {
  constexpr size_t kMost = 6;
  if (ranges.empty()) return "none";
  std::string text;
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (i == kMost) return text + fmt::format(" and {} more", ranges.size() - i);
    text += fmt::format("{}{}-{}", i == 0 ? "" : ", ", ranges[i].begin, ranges[i].end - 1);
  }
  return text;
}

std::string describe(const Names& names) {
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

bool holds(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Result<> check_userns(const Config& config, const idmap::UsernsMode& mode) {
  const Setting<bool>& rule = config.policy.require_private;
  const bool may_be_the_hosts =
      std::holds_alternative<idmap::UsernsHost>(mode) || std::holds_alternative<idmap::UsernsOfPath>(mode);
  if (!rule.value || !may_be_the_hosts) return {};
  return refuse(fmt::format("--userns {}", idmap::userns_text(mode)), "require-private = true", rule.origin);
}

Result<> check_host_namespace(const Config& config, std::string_view asked) {
  const Setting<bool>& rule = config.policy.require_private;
  if (!rule.value) return {};
  return refuse(asked, "require-private = true", rule.origin);
}

Result<> check_shared_ids(const Config& config) {
  const Setting<bool>& rule = config.policy.allow_shared_ids;
  if (rule.value) return {};
  return refuse("--allow-shared-ids", "allow-shared-ids = false", rule.origin);
}

Result<> check_open_directory(const Config& config, std::string_view asked) {
  const Setting<bool>& rule = config.policy.allow_open_directories;
  if (rule.value) return {};
  auto refusal =
      refuse(fmt::format("{}, which users of the host can get to and in which the container can make "
                         "files of the host's root,",
                         asked),
             "allow-open-directories = false", rule.origin);
  refusal.error().hint = fmt::format(
      "Keep them out (chmod 0700 on a directory of root's above it), or use confine= or ro. {}", kHint);
  return refusal;
}

Result<> check_ranges(const Config& config, std::span<const idmap::IdRange> ranges, std::string_view asked) {
  const auto& rule = config.policy.allowed_ranges;
  if (!rule.value) return {};
  for (const idmap::IdRange& range : ranges) {
    const std::vector<idmap::IdRange> beyond = idmap::subtract(range, *rule.value);
    if (beyond.empty()) continue;
    return refuse(fmt::format("{} with the host's IDs {}-{}", asked, beyond[0].begin, beyond[0].end - 1),
                  fmt::format("allowed-ranges are {}", describe(*rule.value)), rule.origin);
  }
  return {};
}

std::string allowed_ranges_text(const Config& config) {
  const auto& rule = config.policy.allowed_ranges;
  if (!rule.value) return {};
  return fmt::format("allowed-ranges are {} ({})", describe(*rule.value), rule.origin.text());
}

Result<> check_project(const Config& config, const std::string& user, const std::string& project) {
  const std::string asked = fmt::format("the project \"{}\" for the user {}", project, user);
  const auto own = config.policy.user_projects.find(user);
  if (own != config.policy.user_projects.end()) {
    if (holds(own->second.value, project) || holds(own->second.value, kAnyProject)) return {};
    return refuse(asked, fmt::format("the allowed-projects of {} are {}", user, describe(own->second.value)),
                  own->second.origin);
  }
  const auto& rule = config.policy.allowed_projects;
  if (!rule.value || holds(*rule.value, project) || holds(*rule.value, kAnyProject)) return {};
  return refuse(asked, fmt::format("allowed-projects are {}", describe(*rule.value)), rule.origin);
}

Result<ProjectPolicy> find_project_policy(const Config& config, const std::string& name) {
  ProjectPolicy policy;
  const auto built_in = policy_base(name);
  const auto custom = config.project_policies.find(name);
  if (built_in) {
    policy.base.value = *built_in;
  } else if (custom != config.project_policies.end()) {
    policy = custom->second;
  } else {
    std::vector<std::string_view> known{"restricted", "nonroot", "anyuid"};
    for (const auto& [other, ignored] : config.project_policies) known.push_back(other);
    const std::string_view near = nearest(name, known);
    return std::unexpected(Error{Code::not_found, 0, fmt::format("there is no project policy \"{}\"", name),
                                 near.empty() ? fmt::format("There are {}.", fmt::join(known, ", "))
                                              : fmt::format("Did you mean {}?", near)});
  }
  const auto& rule = config.policy.allowed_project_policies;
  if (rule.value && !holds(*rule.value, name)) {
    return refuse(fmt::format("the project policy \"{}\"", name),
                  fmt::format("allowed-project-policies are {}", describe(*rule.value)), rule.origin);
  }
  return policy;
}

Result<> check_project_banks(const Config& config, const ProjectPolicy& policy, uint32_t banks) {
  const bool own = policy.banks.value.has_value();
  const uint32_t most = policy.banks.value.value_or(config.policy.project_banks.value);
  if (banks <= most) return {};
  return refuse(fmt::format("a project with {} banks", banks),
                fmt::format("{} = {}", own ? "banks" : "project-banks", most),
                own ? policy.banks.origin : config.policy.project_banks.origin);
}

bool is_shared_network(const Config& config, std::string_view name) {
  return holds(config.policy.shared_networks.value, name);
}

Result<> check_capability(const ProjectPolicy& policy, std::string_view policy_name,
                          std::string_view capability) {
  const Names& allowed = policy.capabilities.value;
  if (holds(allowed, capability) || holds(allowed, "ALL")) return {};
  const Origin& place = policy.capabilities.origin.built_in() ? policy.origin : policy.capabilities.origin;
  return refuse(fmt::format("--cap-add {}", capability),
                fmt::format("the project policy {} allows {}", policy_name, describe(allowed)), place);
}

namespace {

// One rule: how its key and its flag are called, which file of cgroup v2 it is about.
struct AmountRule {
  const char* key;
  const char* flag;
  const char* file;
  Setting<std::optional<uint64_t>> ResourceAmounts::* most;
  uint64_t Amounts::* asked;
  std::string (*text)(uint64_t);
};

std::string count_text(uint64_t count) {
  return std::to_string(count);
}

constexpr std::array<AmountRule, 3> kAmountRules{
    {{"max-memory", "--memory", "memory.max", &ResourceAmounts::memory, &Amounts::memory, bytes_text},
     {"max-cpus", "--cpus", "cpu.max", &ResourceAmounts::nano_cpus, &Amounts::nano_cpus, cpus_text},
     {"max-pids", "--pids-limit", "pids.max", &ResourceAmounts::pids, &Amounts::pids, count_text}}};

std::string rule_text(const AmountRule& rule, uint64_t most) {
  return fmt::format("{} = {}", rule.key, rule.text(most));
}

}  // namespace

Result<> check_amounts(const ResourceAmounts& most, const Amounts& amounts) {
  for (const AmountRule& rule : kAmountRules) {
    const Setting<std::optional<uint64_t>>& limit = most.*rule.most;
    const uint64_t asked = amounts.*rule.asked;
    if (!limit.value || asked <= *limit.value) continue;
    const std::string what = asked == UINT64_MAX ? fmt::format("a container without a limit by {}", rule.flag)
                                                 : fmt::format("{} {}", rule.flag, rule.text(asked));
    return refuse(what, rule_text(rule, *limit.value), limit.origin);
  }
  return {};
}

Result<> check_unlimited(const ResourceAmounts& most, std::string_view asked) {
  for (const AmountRule& rule : kAmountRules) {
    const Setting<std::optional<uint64_t>>& limit = most.*rule.most;
    if (limit.value) return refuse(asked, rule_text(rule, *limit.value), limit.origin);
  }
  return {};
}

Result<> check_cgroup_file(const ResourceAmounts& most, std::string_view file) {
  for (const AmountRule& rule : kAmountRules) {
    const Setting<std::optional<uint64_t>>& limit = most.*rule.most;
    if (limit.value && file == rule.file)
      return refuse(fmt::format("--cgroup-conf {}", file), rule_text(rule, *limit.value), limit.origin);
  }
  return {};
}

}  // namespace berth::config
