#include "config/parse.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/amounts.h"
#include "base/fields.h"
#include "base/letter_case.h"
#include "base/nearest.h"
#include "config/table_reader.h"

namespace berth::config {

namespace {

using Texts = std::vector<TableReader::Text>;

constexpr size_t kLongestName = 128;
constexpr int64_t kMostBanks = 28664;  // there are no more in the pool
constexpr int64_t kLeastRest = 3600;
constexpr int64_t kMostRest = int64_t{366} * 24 * 3600;
constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kAlphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

// As engine names have it: a letter or digit, then letters, digits, _ . and -.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName &&
         kAlphanumeric.find(text.front()) != std::string_view::npos &&
         text.find_first_not_of(std::string(kAlphanumeric) + "_.-") == std::string_view::npos;
}

// A user of the host, whom a name service may call DOMAIN\name or name@domain. Only what /etc/passwd can't
// have is refused.
bool is_user(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7f' && c != ':' && c != '/';
  });
}

Names sorted(Names names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::optional<uint64_t> number(std::string_view text, uint64_t last) {
  const auto value = whole_number<uint64_t>(text);
  return value && *value <= last ? value : std::nullopt;
}

// A list of strings, each made into what it means by `convert`, which gives nullopt for one that can't be.
template <typename Target, typename Convert>
Result<> read_list(const TableReader& table, std::string_view key, Setting<Target>& setting,
                   std::string_view what, Convert convert) {
  Setting<Texts> texts;
  TRY(table.read(key, texts));
  if (texts.origin.built_in()) return {};
  using List = std::remove_cvref_t<decltype(std::vector{*convert(std::string())})>;
  List list;
  for (const TableReader::Text& text : texts.value) {
    auto item = convert(text.value);
    if (!item)
      return table.refuse(key, text.line, fmt::format("has \"{}\", which is not {}", text.value, what));
    list.push_back(std::move(*item));
  }
  setting = {std::move(list), texts.origin};
  return {};
}

template <typename Target>
Result<> read_names(const TableReader& table, std::string_view key, Setting<Target>& setting,
                    bool may_be_any) {
  TRY(read_list(table, key, setting, "a name", [&](const std::string& text) {
    const bool good = is_name(text) || (may_be_any && text == kAnyProject);
    return good ? std::optional(text) : std::nullopt;
  }));
  if (setting.origin.built_in()) return {};
  if constexpr (std::is_same_v<Target, Names>) {
    setting.value = sorted(std::move(setting.value));
  } else {
    setting.value = sorted(std::move(*setting.value));
  }
  return {};
}

// "NET_RAW", "cap_net_raw" → "CAP_NET_RAW"; "all" → "ALL". Whether there is such a capability is not known
// here.
std::optional<std::string> capability(std::string text) {
  text = capital(text);
  if (text == "ALL") return text;
  if (!text.starts_with("CAP_")) text.insert(0, "CAP_");
  const std::string_view rest = std::string_view(text).substr(4);
  const bool good = !rest.empty() && rest.size() <= 32 &&
                    rest.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string_view::npos;
  return good ? std::optional(text) : std::nullopt;
}

Result<> read_capabilities(const TableReader& table, std::string_view key, Setting<Names>& setting) {
  TRY(read_list(table, key, setting, "a capability such as NET_BIND_SERVICE, or ALL", capability));
  setting.value = sorted(std::move(setting.value));
  return {};
}

// "100-200" or "100".
std::optional<idmap::IdRange> range(const std::string& text) {
  const std::string_view view = text;
  const size_t dash = view.find('-');
  const auto first = number(view.substr(0, dash), idmap::kLastId);
  const auto last = dash == std::string_view::npos ? first : number(view.substr(dash + 1), idmap::kLastId);
  if (!first || !last || *last < *first) return std::nullopt;
  return idmap::IdRange{*first, *last + 1};
}

// "90m", "2h30m", "7d".
std::optional<int64_t> seconds(std::string_view text) {
  int64_t sum = 0;
  if (text.empty() || text.size() > 32) return std::nullopt;
  while (!text.empty()) {
    const size_t digits = std::min(text.find_first_not_of(kDigits), text.size());
    const auto value = number(text.substr(0, digits), static_cast<uint64_t>(kMostRest));
    if (!value || digits == text.size()) return std::nullopt;
    constexpr std::string_view kUnits = "smhd";
    constexpr std::array<int64_t, 4> kLengths{1, 60, 3600, 86400};
    const size_t unit = kUnits.find(text[digits]);
    if (unit == std::string_view::npos) return std::nullopt;
    sum += static_cast<int64_t>(*value) * kLengths[unit];
    text.remove_prefix(digits + 1);
  }
  return sum;
}

Result<> read_rest(const TableReader& table, Setting<std::chrono::seconds>& setting) {
  Setting<std::string> text;
  TRY(table.read("bank-rest", text));
  if (text.origin.built_in()) return {};
  const auto value = seconds(text.value);
  if (!value) {
    return table.refuse("bank-rest", text.origin.line,
                        fmt::format("is \"{}\", which is not a time such as 90m, 12h or 7d", text.value));
  }
  if (*value < kLeastRest || *value > kMostRest) {
    return table.refuse("bank-rest", text.origin.line,
                        fmt::format("must be from 1h to 366d, and is {}", text.value));
  }
  setting = {std::chrono::seconds(*value), text.origin};
  return {};
}

// How the keys of a table are called.
struct ResourceKeys {
  std::string_view memory, cpus, pids;
};
constexpr ResourceKeys kMost{"max-memory", "max-cpus", "max-pids"};
constexpr ResourceKeys kByDefault{"memory", "cpus", "pids-limit"};

Result<> read_amount(const TableReader& table, std::string_view key, std::string_view what,
                     std::optional<uint64_t> (*convert)(std::string_view), uint64_t least,
                     Setting<std::optional<uint64_t>>& amount) {
  Setting<std::string> text;
  TRY(table.read(key, text));
  if (text.origin.built_in()) return {};
  const std::optional<uint64_t> value = convert(text.value);
  if (!value || *value < least || *value > std::numeric_limits<int64_t>::max())
    return table.refuse(key, text.origin.line, fmt::format("is \"{}\", which is not {}", text.value, what));
  amount = {value, text.origin};
  return {};
}

Result<> read_amounts(const TableReader& table, const ResourceKeys& keys, ResourceAmounts& amounts) {
  constexpr uint64_t kLeastMemory = uint64_t{4} << 20;  // as of --memory
  constexpr uint64_t kLeastCpus = kNanoCpus / 100;
  constexpr int64_t kMostPids = 4'194'304;  // PID_MAX_LIMIT
  TRY(read_amount(table, keys.memory, "a size such as 512m, from 4m on", parse_bytes, kLeastMemory,
                  amounts.memory));
  TRY(read_amount(table, keys.cpus, "a number of processors such as 1.5, from 0.01 on", parse_cpus,
                  kLeastCpus, amounts.nano_cpus));
  Setting<int64_t> pids;
  TRY(table.read(keys.pids, pids, 1, kMostPids));
  if (!pids.origin.built_in()) amounts.pids = {static_cast<uint64_t>(pids.value), pids.origin};
  return {};
}

Result<> read_policy(const TableReader& table, Policy& policy) {
  static constexpr std::array<std::string_view, 12> kKeys{
      "require-private", "allow-shared-ids", "allow-open-directories",
      "allowed-ranges",  "allowed-projects", "allowed-project-policies",
      "project-banks",   "bank-rest",        "shared-networks",
      kMost.memory,      kMost.cpus,         kMost.pids};
  TRY(table.check_keys(kKeys));
  TRY(read_amounts(table, kMost, policy.most));
  TRY(table.read("require-private", policy.require_private));
  TRY(table.read("allow-shared-ids", policy.allow_shared_ids));
  TRY(table.read("allow-open-directories", policy.allow_open_directories));
  TRY(read_list(table, "allowed-ranges", policy.allowed_ranges,
                "a range of IDs such as 524288-1879048191, up to 4294967294", range));
  if (policy.allowed_ranges.value) {
    policy.allowed_ranges.value = idmap::normalized(std::move(*policy.allowed_ranges.value));
  }
  TRY(read_names(table, "allowed-projects", policy.allowed_projects, true));
  TRY(read_names(table, "allowed-project-policies", policy.allowed_project_policies, false));
  TRY(read_names(table, "shared-networks", policy.shared_networks, false));
  Setting<int64_t> banks;
  TRY(table.read("project-banks", banks, 2, kMostBanks));
  if (!banks.origin.built_in()) policy.project_banks = {static_cast<uint32_t>(banks.value), banks.origin};
  return read_rest(table, policy.bank_rest);
}

Result<> read_users(const TableReader& document, Policy& policy) {
  static constexpr std::array<std::string_view, 1> kKeys{"allowed-projects"};
  for (const Member* member : TRY(document.tables("users"))) {
    if (!is_user(member->key)) {
      return document.refuse("users", member->line,
                             fmt::format("has \"{}\", which can't be a user's name", member->key));
    }
    const TableReader table(member->value, "users." + member->key, document.file());
    TRY(table.check_keys(kKeys));
    Setting<Names> projects;
    TRY(read_names(table, "allowed-projects", projects, true));
    if (projects.origin.built_in()) {
      return table.refuse("allowed-projects", member->line, "is missing: the table says nothing without it");
    }
    policy.user_projects.emplace(member->key, std::move(projects));
  }
  return {};
}

Result<ProjectPolicy> read_project_policy(const TableReader& table, uint32_t line) {
  static constexpr std::array<std::string_view, 9> kKeys{
      "base",  "capabilities", "drop-capabilities", "read-only", "no-new-privileges",
      "banks", kMost.memory,   kMost.cpus,          kMost.pids};
  TRY(table.check_keys(kKeys));
  ProjectPolicy policy;
  TRY(read_amounts(table, kMost, policy.most));
  policy.origin = {table.file(), line};
  Setting<std::string> base;
  TRY(table.read("base", base));
  if (!base.origin.built_in()) {
    const auto known = policy_base(base.value);
    if (!known) {
      return table.refuse("base", base.origin.line,
                          fmt::format("must be restricted, nonroot or anyuid, and is \"{}\"", base.value));
    }
    policy.base = {*known, base.origin};
  }
  TRY(read_capabilities(table, "capabilities", policy.capabilities));
  TRY(read_capabilities(table, "drop-capabilities", policy.drop_capabilities));
  TRY(table.read("read-only", policy.read_only));
  TRY(table.read("no-new-privileges", policy.no_new_privileges));
  Setting<int64_t> banks;
  TRY(table.read("banks", banks, 2, kMostBanks));
  if (!banks.origin.built_in()) policy.banks = {static_cast<uint32_t>(banks.value), banks.origin};
  return policy;
}

Result<> read_project_policies(const TableReader& document, Config& config) {
  for (const Member* member : TRY(document.tables("project-policy"))) {
    if (!is_name(member->key)) {
      return document.refuse(
          "project-policy", member->line,
          fmt::format("has \"{}\", which can't be a policy's name", member->key),
          "A name begins with a letter or digit and goes on with letters, digits, _, . and -.");
    }
    if (policy_base(member->key)) {
      return document.refuse("project-policy", member->line,
                             fmt::format("has \"{}\", which is built in and can't be changed", member->key),
                             fmt::format("Give it another name and base = \"{}\".", member->key));
    }
    const TableReader table(member->value, "project-policy." + member->key, document.file());
    config.project_policies.emplace(member->key, TRY(read_project_policy(table, member->line)));
  }
  return {};
}

std::optional<net::Subnet> pool(const std::string& text) {
  const auto subnet = net::Subnet::parse(text);
  return subnet && !subnet->is_v6() && subnet->prefix() <= kSubnetPrefix ? subnet : std::nullopt;
}

Result<> read_networks(const TableReader& table, Defaults& defaults) {
  TRY(table.read("network", defaults.network));
  const std::string& mode = defaults.network.value;
  if (mode != "bridge" && mode != "none" && mode != "host") {
    return table.refuse("network", defaults.network.origin.line,
                        fmt::format("must be bridge, none or host, and is \"{}\"", mode));
  }
  Setting<std::string> text;
  TRY(table.read("bridge-subnet", text));
  if (!text.origin.built_in()) {
    constexpr unsigned kLongest = 30;  // the gateway and one container
    const auto subnet = net::Subnet::parse(text.value);
    if (!subnet || subnet->is_v6() || subnet->prefix() > kLongest) {
      return table.refuse(
          "bridge-subnet", text.origin.line,
          fmt::format("is \"{}\", which is not a subnet of IPv4 such as 10.86.0.0/16, up to /30",
                      text.value));
    }
    defaults.bridge_subnet = {*subnet, text.origin};
  }
  return read_list(table, "subnet-pools", defaults.subnet_pools,
                   "a subnet of IPv4 such as 10.80.0.0/14, up to /24", pool);
}

Result<> read_cgroups(const TableReader& table, Defaults& defaults) {
  TRY(table.read("cgroup-manager", defaults.cgroup_manager));
  const std::string& manager = defaults.cgroup_manager.value;
  if (manager != "auto" && manager != "systemd" && manager != "cgroupfs") {
    return table.refuse("cgroup-manager", defaults.cgroup_manager.origin.line,
                        fmt::format("must be auto, systemd or cgroupfs, and is \"{}\"", manager));
  }
  TRY(table.read("slice", defaults.slice));
  constexpr std::string_view kEnd = ".slice";
  const std::string& slice = defaults.slice.value;
  if (slice.ends_with(kEnd) && is_name(slice)) return {};
  return table.refuse("slice", defaults.slice.origin.line,
                      fmt::format("is \"{}\", which is not a slice of systemd such as machine.slice", slice));
}

Result<> read_defaults(const TableReader& table, Defaults& defaults) {
  static constexpr std::array<std::string_view, 11> kKeys{
      "userns",         "init",  "project-policy",  "network",       "bridge-subnet", "subnet-pools",
      "cgroup-manager", "slice", kByDefault.memory, kByDefault.cpus, kByDefault.pids};
  TRY(table.check_keys(kKeys));
  TRY(read_cgroups(table, defaults));
  TRY(read_amounts(table, kByDefault, defaults.resources));
  TRY(table.read("init", defaults.init));
  TRY(table.read("project-policy", defaults.project_policy));
  TRY(read_networks(table, defaults));
  Setting<std::string> text;
  TRY(table.read("userns", text));
  if (text.origin.built_in()) return {};
  auto mode = idmap::parse_userns_mode(text.value);
  if (!mode) {
    return table.refuse("userns", text.origin.line, fmt::format("can't be: {}", mode.error().message),
                        mode.error().hint);
  }
  if (std::holds_alternative<idmap::UsernsOfContainer>(*mode) ||
      std::holds_alternative<idmap::UsernsOfPath>(*mode)) {
    return table.refuse(
        "userns", text.origin.line,
        fmt::format("is \"{}\": one namespace can't be the default of all containers", text.value));
  }
  defaults.userns = {std::move(*mode), text.origin};
  return {};
}

}  // namespace

Result<Config> parse(std::string_view text, const std::string& file) {
  static constexpr std::array<std::string_view, 4> kTables{"policy", "users", "project-policy", "defaults"};
  const Value root = TRY(parse_document(text, file));
  const TableReader document(root, "", file);
  TRY(document.check_keys(kTables));
  Config config;
  for (const Member& member : root.members) {
    if (member.value.kind != Kind::table) {
      return document.refuse(member.key, member.line,
                             fmt::format("must be a table, and is {}", describe(member.value.kind)));
    }
    const TableReader table(member.value, member.key, file);
    if (member.key == "policy") TRY(read_policy(table, config.policy));
    if (member.key == "defaults") TRY(read_defaults(table, config.defaults));
  }
  TRY(read_users(document, config.policy));
  TRY(read_project_policies(document, config));
  return config;
}

namespace {

Result<> check_policy_name(const Config& config, const std::string& name, const Origin& origin,
                           std::string_view key) {
  if (policy_base(name) || config.project_policies.contains(name)) return {};
  std::vector<std::string_view> known{"restricted", "nonroot", "anyuid"};
  for (const auto& [custom, policy] : config.project_policies) known.push_back(custom);
  const std::string_view near = nearest(name, known);
  return std::unexpected(Error{
      Code::refused, 0,
      fmt::format("{}: {} names the project policy \"{}\", which there is not", origin.text(), key, name),
      near.empty() ? fmt::format("[project-policy.{}] would make it.", name)
                   : fmt::format("Did you mean {}?", near)});
}

}  // namespace

Result<> check_names(const Config& config) {
  const Setting<std::string>& by_default = config.defaults.project_policy;
  TRY(check_policy_name(config, by_default.value, by_default.origin, "defaults.project-policy"));
  const Setting<std::optional<Names>>& allowed = config.policy.allowed_project_policies;
  if (allowed.value) {
    for (const std::string& name : *allowed.value) {
      TRY(check_policy_name(config, name, allowed.origin, "policy.allowed-project-policies"));
    }
    if (!std::binary_search(allowed.value->begin(), allowed.value->end(), by_default.value)) {
      return fail(
          Code::refused,
          "defaults.project-policy is \"{}\" ({}), which policy.allowed-project-policies ({}) does not "
          "allow",
          by_default.value, by_default.origin.text(), allowed.origin.text());
    }
  }
  const Setting<bool>& private_only = config.policy.require_private;
  if (private_only.value && std::holds_alternative<idmap::UsernsHost>(config.defaults.userns.value)) {
    return fail(Code::refused, "defaults.userns is \"host\" ({}), which policy.require-private ({}) refuses",
                config.defaults.userns.origin.text(), private_only.origin.text());
  }
  const Setting<std::string>& network = config.defaults.network;
  if (private_only.value && network.value == "host") {
    return fail(Code::refused, "defaults.network is \"host\" ({}), which policy.require-private ({}) refuses",
                network.origin.text(), private_only.origin.text());
  }
  return {};
}

}  // namespace berth::config
