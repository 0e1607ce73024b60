#include "bundle/resources.h"

#include <nlohmann/json.hpp>

#include "bundle/config_parts.h"
#include "oci/strict_json.h"

namespace berth::bundle {

namespace {

constexpr uint32_t kMaxMajor = (1U << 12) - 1;  // linux/kdev_t.h
constexpr uint32_t kMaxMinor = (1U << 20) - 1;
constexpr int64_t kUnlimited = -1;

constexpr std::array<Word<char>, 3> kRuleTypes{{{"a", 'a'}, {"b", 'b'}, {"c", 'c'}}};

// -1 is "all", as the specification's Go types have it where it is not absent.
Result<std::optional<uint32_t>> read_device_number(const JsonView& rule, std::string_view key,
                                                   uint32_t most) {
  const auto number = TRY(read_number<int64_t>(rule, key, -1, most));
  if (!number || *number == -1) return std::optional<uint32_t>();
  return std::optional(static_cast<uint32_t>(*number));
}

Result<> read_access(const JsonView& view, DeviceRule& rule) {
  const std::string access = TRY(view.string());
  if (access.empty()) return {};
  if (access.find_first_not_of("rwm") != std::string::npos) {
    return view.refuse_value("is not allowed, only letters of \"rwm\"");
  }
  rule.read = access.find('r') != std::string::npos;
  rule.write = access.find('w') != std::string::npos;
  rule.mknod = access.find('m') != std::string::npos;
  return {};
}

Result<DeviceRule> read_device_rule(const JsonView& view) {
  DeviceRule rule;
  const JsonView allow = TRY(view.member("allow"));
  rule.allow = TRY(allow.boolean());
  if (!TRY(view.string_or_empty("type")).empty()) {
    const JsonView type = TRY(view.member("type"));
    rule.type = TRY(read_word(type, kRuleTypes));
  }
  rule.major = TRY(read_device_number(view, "major", kMaxMajor));
  rule.minor = TRY(read_device_number(view, "minor", kMaxMinor));
  if (const auto access = TRY(view.find("access"))) TRY(read_access(*access, rule));
  return rule;
}

Result<Memory> read_memory(const JsonView& view) {
  Memory memory;
  memory.limit = TRY(read_number<int64_t>(view, "limit", kUnlimited));
  memory.reservation = TRY(read_number<int64_t>(view, "reservation", kUnlimited));
  memory.swap = TRY(read_number<int64_t>(view, "swap", kUnlimited));
  memory.kernel = TRY(read_number<int64_t>(view, "kernel", kUnlimited));
  memory.kernel_tcp = TRY(read_number<int64_t>(view, "kernelTCP", kUnlimited));
  memory.swappiness = TRY(read_number<uint64_t>(view, "swappiness", 0, 100));
  memory.disable_oom_killer = TRY(read_boolean(view, "disableOOMKiller"));
  memory.use_hierarchy = TRY(read_boolean(view, "useHierarchy"));
  memory.check_before_update = TRY(read_boolean(view, "checkBeforeUpdate"));
  // 0 is "not set" in what engines write.
  if (memory.swap.value_or(0) > 0 && memory.limit.value_or(0) > *memory.swap) {
    const JsonView swap = TRY(view.member("swap"));
    return swap.refuse_value(fmt::format(
        "is not allowed, it is memory and swap together and less than \"limit\", {}", *memory.limit));
  }
  return memory;
}

Result<std::string> read_nodes(const JsonView& cpu, std::string_view key) {
  const auto view = TRY(cpu.find(key));
  if (!view) return std::string();
  std::string text = TRY(view->string());
  if (!parse_cpu_list(text)) return view->refuse_value("is not allowed, it must be a list such as \"0-3,7\"");
  return text;
}

Result<Cpu> read_cpu(const JsonView& view) {
  Cpu cpu;
  cpu.shares = TRY(read_number<uint64_t>(view, "shares"));
  cpu.quota = TRY(read_number<int64_t>(view, "quota"));
  cpu.burst = TRY(read_number<uint64_t>(view, "burst"));
  cpu.period = TRY(read_number<uint64_t>(view, "period"));
  cpu.realtime_runtime = TRY(read_number<int64_t>(view, "realtimeRuntime"));
  cpu.realtime_period = TRY(read_number<uint64_t>(view, "realtimePeriod"));
  cpu.cpus = TRY(read_nodes(view, "cpus"));
  cpu.mems = TRY(read_nodes(view, "mems"));
  cpu.idle = TRY(read_number<int64_t>(view, "idle", 0, 1));
  if (cpu.burst && cpu.quota.value_or(0) > 0 && *cpu.burst > static_cast<uint64_t>(*cpu.quota)) {
    const JsonView burst = TRY(view.member("burst"));
    return burst.refuse_value(fmt::format("is not allowed, it is more than \"quota\", {}", *cpu.quota));
  }
  return cpu;
}

// "<size><unit-prefix>B": 64KB, 2MB, 1GB. It becomes a part of a file's name.
bool is_page_size(std::string_view text) {
  const size_t digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos || digits > 19 || text.front() == '0') return false;
  const std::string_view unit = text.substr(digits);
  return unit.size() == 2 && std::string_view("KMGTP").find(unit[0]) != std::string_view::npos &&
         unit[1] == 'B';
}

Result<std::vector<HugepageLimit>> read_hugepages(const JsonView& resources) {
  std::vector<HugepageLimit> limits;
  for (const JsonView& view : TRY(read_list(resources, "hugepageLimits", kMaxListed))) {
    const JsonView size = TRY(view.member("pageSize"));
    const JsonView limit = TRY(view.member("limit"));
    HugepageLimit out;
    out.page_size = TRY(size.string());
    if (!is_page_size(out.page_size))
      return size.refuse_value("is not allowed, it must be a size such as \"2MB\"");
    out.limit = TRY(limit.number<uint64_t>());
    limits.push_back(std::move(out));
  }
  return limits;
}

Result<Network> read_network(const JsonView& view) {
  constexpr size_t kMaxInterfaceName = 15;  // IFNAMSIZ with its NUL
  Network network;
  network.class_id = TRY(read_number<uint32_t>(view, "classID"));
  for (const JsonView& entry : TRY(read_list(view, "priorities", kMaxListed))) {
    const JsonView name = TRY(entry.member("name"));
    const JsonView priority = TRY(entry.member("priority"));
    InterfacePriority out;
    out.name = TRY(name.string());
    if (!is_plain_name(out.name) || out.name.size() > kMaxInterfaceName) {
      return name.refuse_value("is not allowed, no interface can have this name");
    }
    out.priority = TRY(priority.number<uint32_t>());
    network.priorities.push_back(std::move(out));
  }
  return network;
}

Result<std::vector<RdmaLimit>> read_rdma(const JsonView& view) {
  std::vector<RdmaLimit> limits;
  for (const std::string& device : TRY(view.keys())) {
    const auto entry = TRY(view.find(device));
    if (!entry) continue;
    if (!is_plain_name(device)) return entry->refuse("the device's name is not allowed");
    RdmaLimit out{.device = device};
    out.handles = TRY(read_number<uint32_t>(*entry, "hcaHandles"));
    out.objects = TRY(read_number<uint32_t>(*entry, "hcaObjects"));
    if (!out.handles && !out.objects) return entry->refuse("\"hcaHandles\" or \"hcaObjects\" is missing");
    limits.push_back(std::move(out));
    if (limits.size() > kMaxListed) return view.refuse(fmt::format("only {} are allowed", kMaxListed));
  }
  return limits;
}

Result<std::map<std::string, std::string>> read_unified(const JsonView& resources) {
  std::map<std::string, std::string> files = TRY(read_string_map(resources, "unified", kMaxListed));
  for (const auto& [name, unused] : files) {
    if (is_plain_name(name)) continue;
    const JsonView view = TRY(resources.member("unified"));
    const JsonView file = TRY(view.member(name));
    return file.refuse("the name is not allowed, it must be that of a file of a cgroup");
  }
  return files;
}

}  // namespace

Result<uint32_t> read_major(const JsonView& view) {
  return view.number<uint32_t>(0, kMaxMajor);
}

Result<uint32_t> read_minor(const JsonView& view) {
  return view.number<uint32_t>(0, kMaxMinor);
}

Result<Resources> read_resources(const JsonView& view) {
  Resources out;
  for (const JsonView& rule : TRY(read_list(view, "devices", kMaxListed))) {
    out.devices.push_back(TRY(read_device_rule(rule)));
  }
  if (const auto memory = TRY(view.find("memory"))) out.memory = TRY(read_memory(*memory));
  if (const auto cpu = TRY(view.find("cpu"))) out.cpu = TRY(read_cpu(*cpu));
  // Version 1.2 has "limit" as required, 1.3 as optional.
  if (const auto pids = TRY(view.find("pids"))) out.pids_limit = TRY(read_number<int64_t>(*pids, "limit"));
  out.block_io = TRY(read_block_io(view));
  out.hugepages = TRY(read_hugepages(view));
  if (const auto network = TRY(view.find("network"))) out.network = TRY(read_network(*network));
  if (const auto rdma = TRY(view.find("rdma"))) out.rdma = TRY(read_rdma(*rdma));
  out.unified = TRY(read_unified(view));
  return out;
}

Result<Resources> parse_resources(std::string_view text) {
  constexpr const char* kName = "the resources";
  const nlohmann::json document = TRY_CONTEXT(oci::parse_strict_json(text, kMaxConfigBytes), "{}", kName);
  return read_resources(JsonView(document, kName, JsonView::Values::shown));
}

}  // namespace berth::bundle
