// Two configuration files, separated by 0x01. What is accepted is shown and read again as the same values,
// and the second one on top of the first allows nothing that the first does not.
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "config/merge.h"
#include "config/parse.h"
#include "config/policy_checks.h"
#include "config/show.h"

using namespace berth;
using namespace berth::config;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

nlohmann::json values_of(const Config& config) {
  auto json = nlohmann::json::parse(show_json(config));
  for (auto& section : json) {
    const std::function<void(nlohmann::json&)> strip = [&](nlohmann::json& node) {
      node.erase("from");
      for (auto& member : node) {
        if (member.is_object()) strip(member);
      }
    };
    strip(section);
  }
  return json;
}

void check_shown(const Config& config) {
  const auto again = parse(show_toml(config), "again");
  require(again.has_value());
  require(values_of(*again) == values_of(config));
}

void check_users(const Config& first, const Config& merged, const std::string& user) {
  Names names{"x"};
  for (const auto& [other, projects] : merged.policy.user_projects) {
    names.insert(names.end(), projects.value.begin(), projects.value.end());
  }
  const auto& general = merged.policy.allowed_projects.value;
  if (general) names.insert(names.end(), general->begin(), general->end());
  for (const std::string& name : names) {
    if (check_project(merged, user, name)) require(check_project(first, user, name).has_value());
  }
}

void check_tighter(const Config& first, const Config& merged) {
  require(merged.policy.require_private.value || !first.policy.require_private.value);
  require(!merged.policy.allow_shared_ids.value || first.policy.allow_shared_ids.value);
  require(!merged.policy.allow_open_directories.value || first.policy.allow_open_directories.value);
  if (first.policy.allowed_ranges.value) {
    require(check_ranges(first, merged.policy.allowed_ranges.value.value(), "a map").has_value());
  }
  require(merged.policy.project_banks.value <= first.policy.project_banks.value);
  require(merged.policy.bank_rest.value >= first.policy.bank_rest.value);
  check_users(first, merged, "nobody in particular");
  for (const auto& [user, projects] : merged.policy.user_projects) check_users(first, merged, user);
  for (const auto& [name, custom] : merged.project_policies) {
    const auto before = first.project_policies.find(name);
    const ProjectPolicy known = before == first.project_policies.end() ? ProjectPolicy{} : before->second;
    for (const std::string& capability : custom.capabilities.value) {
      require(check_capability(known, name, capability).has_value());
    }
    require(before == first.project_policies.end() || custom.base.value <= known.base.value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t middle = input.find('\x01');
  const auto first = parse(input.substr(0, middle), "first");
  if (!first) return 0;
  check_shown(*first);
  require(merge(*first, *first).has_value());
  (void)check_names(*first);
  if (middle == std::string_view::npos) return 0;
  const auto second = parse(input.substr(middle + 1), "second");
  if (!second) return 0;
  const auto merged = merge(*first, *second);
  if (!merged) return 0;
  check_shown(*merged);
  check_tighter(*first, *merged);
  return 0;
}
