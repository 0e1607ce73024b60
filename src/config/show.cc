#include "config/show.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/amounts.h"
#include "base/error.h"

namespace berth::config {

namespace {

using nlohmann::ordered_json;

// One line of what is shown. JSON's values are TOML's, but for null, which stands for "not set".
struct Line {
  std::string key;
  ordered_json value;
  Origin origin;
};

struct Section {
  std::vector<std::string> path;  // {"project-policy", "web"}
  std::vector<Line> lines;
};

template <typename T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json ranges(const std::optional<std::vector<idmap::IdRange>>& value) {
  if (!value) return {};
  ordered_json list = ordered_json::array();
  for (const idmap::IdRange& range : *value) {
    const bool one = range.end - range.begin == 1;
    list.push_back(one ? std::to_string(range.begin) : fmt::format("{}-{}", range.begin, range.end - 1));
  }
  return list;
}

ordered_json subnets(const std::vector<net::Subnet>& value) {
  ordered_json list = ordered_json::array();
  for (const net::Subnet& subnet : value) list.push_back(subnet.text());
  return list;
}

// Three lines, in the words of the table.
void add_amounts(const ResourceAmounts& amounts, const std::array<const char*, 3>& keys,
                 std::vector<Line>& lines) {
  const auto as_text = [](const std::optional<uint64_t>& value, std::string (*text)(uint64_t)) {
    return value ? ordered_json(text(*value)) : ordered_json();
  };
  lines.push_back({keys[0], as_text(amounts.memory.value, bytes_text), amounts.memory.origin});
  lines.push_back({keys[1], as_text(amounts.nano_cpus.value, cpus_text), amounts.nano_cpus.origin});
  lines.push_back({keys[2], or_null(amounts.pids.value), amounts.pids.origin});
}
constexpr std::array<const char*, 3> kMost{"max-memory", "max-cpus", "max-pids"};

// "36h", "90m", "3601s": the longest unit that gives a whole number.
std::string duration(std::chrono::seconds value) {
  const auto count = value.count();
  if (count % 3600 == 0) return fmt::format("{}h", count / 3600);
  if (count % 60 == 0) return fmt::format("{}m", count / 60);
  return fmt::format("{}s", count);
}

std::vector<Section> sections_of(const Config& config) {
  const Policy& policy = config.policy;
  const Defaults& defaults = config.defaults;
  std::vector<Section> sections;
  sections.push_back(
      {{"policy"},
       {{"require-private", policy.require_private.value, policy.require_private.origin},
        {"allow-shared-ids", policy.allow_shared_ids.value, policy.allow_shared_ids.origin},
        {"allow-open-directories", policy.allow_open_directories.value, policy.allow_open_directories.origin},
        {"allowed-ranges", ranges(policy.allowed_ranges.value), policy.allowed_ranges.origin},
        {"allowed-projects", or_null(policy.allowed_projects.value), policy.allowed_projects.origin},
        {"allowed-project-policies", or_null(policy.allowed_project_policies.value),
         policy.allowed_project_policies.origin},
        {"project-banks", policy.project_banks.value, policy.project_banks.origin},
        {"bank-rest", duration(policy.bank_rest.value), policy.bank_rest.origin},
        {"shared-networks", policy.shared_networks.value, policy.shared_networks.origin}}});
  add_amounts(policy.most, kMost, sections.back().lines);
  for (const auto& [user, projects] : policy.user_projects) {
    sections.push_back({{"users", user}, {{"allowed-projects", projects.value, projects.origin}}});
  }
  for (const auto& [name, custom] : config.project_policies) {
    sections.push_back(
        {{"project-policy", name},
         {{"base", name_of(custom.base.value), custom.base.origin},
          {"capabilities", custom.capabilities.value, custom.capabilities.origin},
          {"drop-capabilities", custom.drop_capabilities.value, custom.drop_capabilities.origin},
          {"read-only", custom.read_only.value, custom.read_only.origin},
          {"no-new-privileges", custom.no_new_privileges.value, custom.no_new_privileges.origin},
          {"banks", or_null(custom.banks.value), custom.banks.origin}}});
    add_amounts(custom.most, kMost, sections.back().lines);
  }
  sections.push_back({{"defaults"},
                      {{"userns", idmap::userns_text(defaults.userns.value), defaults.userns.origin},
                       {"init", defaults.init.value, defaults.init.origin},
                       {"project-policy", defaults.project_policy.value, defaults.project_policy.origin},
                       {"network", defaults.network.value, defaults.network.origin},
                       {"bridge-subnet", defaults.bridge_subnet.value.text(), defaults.bridge_subnet.origin},
                       {"subnet-pools", subnets(defaults.subnet_pools.value), defaults.subnet_pools.origin},
                       {"cgroup-manager", defaults.cgroup_manager.value, defaults.cgroup_manager.origin},
                       {"slice", defaults.slice.value, defaults.slice.origin}}});
  add_amounts(defaults.resources, {"memory", "cpus", "pids-limit"}, sections.back().lines);
  return sections;
}

// Invalid UTF-8 can be in no value that parse() made, and in JSON not at all.
std::string json_text(const ordered_json& value, int indent = -1) {
  return value.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

// A value as TOML has it. JSON's strings are TOML's basic strings but for DEL, which TOML wants escaped;
// JSON's lists of them are TOML's too.
std::string toml_text(const ordered_json& value) {
  std::string text = json_text(value);
  for (size_t at = text.find('\x7f'); at != std::string::npos; at = text.find('\x7f', at)) {
    text.replace(at, 1, "\\u007f");
  }
  return text;
}

std::string header(const Section& section) {
  constexpr std::string_view kBare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  std::string path;
  for (const std::string& part : section.path) {
    if (!path.empty()) path += '.';
    const bool bare = !part.empty() && part.find_first_not_of(kBare) == std::string::npos;
    path += bare ? part : toml_text(part);
  }
  return fmt::format("[{}]\n", path);
}

}  // namespace

std::string show_toml(const Config& config) {
  std::string out;
  for (const Section& section : sections_of(config)) {
    if (!out.empty()) out += '\n';
    out += header(section);
    std::vector<std::pair<std::string, const Origin*>> lines;
    size_t widest = 0;
    for (const Line& line : section.lines) {
      std::string text = line.value.is_null() ? fmt::format("# {} is not set", line.key)
                                              : fmt::format("{} = {}", line.key, toml_text(line.value));
      widest = std::max(widest, std::min<size_t>(text.size(), 60));
      lines.emplace_back(std::move(text), &line.origin);
    }
    for (const auto& [text, origin] : lines) {
      out += fmt::format("{:<{}}  # {}\n", text, widest, printable(origin->text()));
    }
  }
  return out;
}

std::string show_json(const Config& config) {
  ordered_json out;
  for (const Section& section : sections_of(config)) {
    ordered_json* table = &out;
    for (const std::string& part : section.path) table = &(*table)[part];
    for (const Line& line : section.lines) {
      (*table)[line.key] = {{"value", line.value}, {"from", line.origin.text()}};
    }
  }
  return json_text(out, 2) + "\n";
}

}  // namespace berth::config
