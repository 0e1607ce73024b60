#include "config/merge.h"

#include <algorithm>

#include "base/amounts.h"
#include "idmap/id_range.h"

namespace berth::config {

namespace {

std::unexpected<Error> loosens(const Origin& second, std::string_view key, std::string_view why,
                               const Origin& first) {
  return std::unexpected(
      Error{Code::refused, 0,
            fmt::format("{}: {} would loosen the policy: {} ({})", second.text(), key, why, first.text()),
            "The file that BERTH_CONFIG names may set [defaults], and only tighten all else."});
}

template <typename T>
void take(Setting<T>& first, const Setting<T>& second) {
  if (!second.origin.built_in()) first = second;
}

// `tightest` is the value that nothing can tighten further.
Result<> tighten(std::string_view key, Setting<bool>& first, const Setting<bool>& second, bool tightest) {
  if (second.origin.built_in()) return {};
  if (first.value == tightest && second.value != tightest) {
    return loosens(second.origin, key, fmt::format("it is {}", first.value), first.origin);
  }
  first = second;
  return {};
}

// The first of `names` that is not among `allowed` ("*" allows all); nullptr if there is none.
const std::string* first_beyond(const Names& names, const Names& allowed) {
  if (std::binary_search(allowed.begin(), allowed.end(), kAnyProject)) return nullptr;
  const auto beyond = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
    return !std::binary_search(allowed.begin(), allowed.end(), name);
  });
  return beyond == names.end() ? nullptr : &*beyond;
}

Result<> tighten(std::string_view key, Setting<std::optional<Names>>& first,
                 const Setting<std::optional<Names>>& second) {
  if (second.origin.built_in()) return {};
  if (first.value) {
    if (const std::string* name = first_beyond(*second.value, *first.value)) {
      return loosens(second.origin, key, fmt::format("\"{}\" is not allowed", *name), first.origin);
    }
  }
  first = second;
  return {};
}

Result<> tighten(std::string_view key, Setting<Names>& first, const Setting<Names>& second) {
  if (second.origin.built_in()) return {};
  if (const std::string* name = first_beyond(second.value, first.value))
    return loosens(second.origin, key, fmt::format("\"{}\" is not among them", *name), first.origin);
  first = second;
  return {};
}

Result<> tighten_ranges(Setting<std::optional<std::vector<idmap::IdRange>>>& first,
                        const Setting<std::optional<std::vector<idmap::IdRange>>>& second) {
  if (second.origin.built_in()) return {};
  for (const idmap::IdRange& range : first.value ? *second.value : std::vector<idmap::IdRange>{}) {
    const std::vector<idmap::IdRange> beyond = idmap::subtract(range, *first.value);
    if (beyond.empty()) continue;
    return loosens(second.origin, "policy.allowed-ranges",
                   fmt::format("{}-{} is not allowed", beyond[0].begin, beyond[0].end - 1), first.origin);
  }
  first = second;
  return {};
}

Result<> tighten(const std::string& key, Setting<std::optional<uint64_t>>& first,
                 const Setting<std::optional<uint64_t>>& second, std::string (*text)(uint64_t)) {
  if (second.origin.built_in()) return {};
  if (first.value && *second.value > *first.value)
    return loosens(second.origin, key, fmt::format("it is {}", text(*first.value)), first.origin);
  first = second;
  return {};
}

Result<> tighten(const std::string& path, ResourceAmounts& first, const ResourceAmounts& second) {
  TRY(tighten(path + ".max-memory", first.memory, second.memory, bytes_text));
  TRY(tighten(path + ".max-cpus", first.nano_cpus, second.nano_cpus, cpus_text));
  return tighten(path + ".max-pids", first.pids, second.pids,
                 [](uint64_t value) { return std::to_string(value); });
}

Result<> tighten_users(const Policy& base, Policy& policy, const Policy& second) {
  for (const auto& [user, projects] : second.user_projects) {
    const std::string key = fmt::format("users.{}.allowed-projects", user);
    const auto own = base.user_projects.find(user);
    const bool named = own != base.user_projects.end();
    const Names* allowed = named ? &own->second.value : nullptr;
    if (!named && base.allowed_projects.value) allowed = &*base.allowed_projects.value;
    if (allowed != nullptr) {
      if (const std::string* name = first_beyond(projects.value, *allowed)) {
        return loosens(projects.origin, key, fmt::format("\"{}\" is not allowed", *name),
                       named ? own->second.origin : base.allowed_projects.origin);
      }
    }
    policy.user_projects.insert_or_assign(user, projects);
  }
  return {};
}

Result<> tighten_policy(Policy& first, const Policy& second) {
  const Policy base = first;
  TRY(tighten("policy.require-private", first.require_private, second.require_private, true));
  TRY(tighten("policy.allow-shared-ids", first.allow_shared_ids, second.allow_shared_ids, false));
  TRY(tighten("policy.allow-open-directories", first.allow_open_directories, second.allow_open_directories,
              false));
  TRY(tighten_ranges(first.allowed_ranges, second.allowed_ranges));
  TRY(tighten("policy.allowed-projects", first.allowed_projects, second.allowed_projects));
  TRY(tighten("policy.allowed-project-policies", first.allowed_project_policies,
              second.allowed_project_policies));
  if (second.project_banks.value > first.project_banks.value && !second.project_banks.origin.built_in()) {
    return loosens(second.project_banks.origin, "policy.project-banks",
                   fmt::format("it is {}", first.project_banks.value), first.project_banks.origin);
  }
  take(first.project_banks, second.project_banks);
  if (second.bank_rest.value < first.bank_rest.value && !second.bank_rest.origin.built_in()) {
    return loosens(second.bank_rest.origin, "policy.bank-rest",
                   fmt::format("it is {} s", first.bank_rest.value.count()), first.bank_rest.origin);
  }
  take(first.bank_rest, second.bank_rest);
  TRY(tighten("policy.shared-networks", first.shared_networks, second.shared_networks));
  TRY(tighten("policy", first.most, second.most));
  return tighten_users(base, first, second);
}

Result<> tighten_capabilities(const std::string& path, ProjectPolicy& first, const ProjectPolicy& second) {
  if (!second.capabilities.origin.built_in()) {
    const Names& allowed = first.capabilities.value;
    const bool all = std::binary_search(allowed.begin(), allowed.end(), "ALL");
    for (const std::string& name : second.capabilities.value) {
      if (all || std::binary_search(allowed.begin(), allowed.end(), name)) continue;
      const Setting<Names>& rule = first.capabilities;
      return loosens(second.capabilities.origin, path + ".capabilities",
                     fmt::format("{} is not among its capabilities", name),
                     rule.origin.built_in() ? first.origin : rule.origin);
    }
    first.capabilities = second.capabilities;
  }
  if (!second.drop_capabilities.origin.built_in()) {
    const Names& dropped = second.drop_capabilities.value;
    const bool all = std::binary_search(dropped.begin(), dropped.end(), "ALL");
    for (const std::string& name : first.drop_capabilities.value) {
      if (all || std::binary_search(dropped.begin(), dropped.end(), name)) continue;
      return loosens(second.drop_capabilities.origin, path + ".drop-capabilities",
                     fmt::format("{} is dropped", name), first.drop_capabilities.origin);
    }
    first.drop_capabilities = second.drop_capabilities;
  }
  return {};
}

Result<> tighten_project_policy(const std::string& path, ProjectPolicy& first, const ProjectPolicy& second,
                                const Setting<uint32_t>& quota) {
  if (second.base.value > first.base.value && !second.base.origin.built_in()) {
    const Origin& rule = first.base.origin.built_in() ? first.origin : first.base.origin;
    return loosens(second.base.origin, path + ".base", fmt::format("it is {}", name_of(first.base.value)),
                   rule);
  }
  take(first.base, second.base);
  TRY(tighten_capabilities(path, first, second));
  TRY(tighten(path, first.most, second.most));
  TRY(tighten(path + ".read-only", first.read_only, second.read_only, true));
  TRY(tighten(path + ".no-new-privileges", first.no_new_privileges, second.no_new_privileges, true));
  if (second.banks.value) {
    const uint32_t most = first.banks.value.value_or(quota.value);
    if (*second.banks.value > most) {
      return loosens(second.banks.origin, path + ".banks", fmt::format("at most {} are allowed", most),
                     first.banks.value ? first.banks.origin : quota.origin);
    }
    first.banks = second.banks;
  }
  return {};
}

Result<> tighten_project_policies(Config& first, const Config& second) {
  for (const auto& [name, policy] : second.project_policies) {
    const std::string path = "project-policy." + name;
    const auto known = first.project_policies.find(name);
    if (known != first.project_policies.end()) {
      TRY(tighten_project_policy(path, known->second, policy, first.policy.project_banks));
      continue;
    }
    // Whoever may choose a policy may choose the built-in one that the new one begins with, so that much is
    // allowed already.
    ProjectPolicy fresh;
    fresh.origin = policy.origin;
    fresh.base = policy.base;
    TRY(tighten_project_policy(path, fresh, policy, first.policy.project_banks));
    first.project_policies.emplace(name, std::move(fresh));
  }
  return {};
}

}  // namespace

Result<Config> merge(Config first, const Config& second) {
  TRY(tighten_policy(first.policy, second.policy));
  TRY(tighten_project_policies(first, second));
  take(first.defaults.userns, second.defaults.userns);
  take(first.defaults.init, second.defaults.init);
  take(first.defaults.project_policy, second.defaults.project_policy);
  take(first.defaults.network, second.defaults.network);
  take(first.defaults.bridge_subnet, second.defaults.bridge_subnet);
  take(first.defaults.subnet_pools, second.defaults.subnet_pools);
  take(first.defaults.resources.memory, second.defaults.resources.memory);
  take(first.defaults.resources.nano_cpus, second.defaults.resources.nano_cpus);
  take(first.defaults.resources.pids, second.defaults.resources.pids);
  take(first.defaults.cgroup_manager, second.defaults.cgroup_manager);
  take(first.defaults.slice, second.defaults.slice);
  return first;
}

}  // namespace berth::config
