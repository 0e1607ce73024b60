#include <linux/personality.h>

#include "bundle/config_parts.h"

namespace berth::bundle {

namespace {

constexpr std::array<Word<char>, 4> kDeviceTypes{{{"b", 'b'}, {"c", 'c'}, {"p", 'p'}, {"u", 'u'}}};

// sys/personality.h has the same numbers in an enum, without names that a program could take from there.
constexpr std::array<Word<uint32_t>, 2> kDomains{{{"LINUX", PER_LINUX}, {"LINUX32", PER_LINUX32}}};

// One without the other would leave all IDs of a kind unmapped, and nobody but a user namespace has a use for
// them. `crun spec --rootless` has neither for a new one: crun then takes what its caller may map.
Result<> read_id_maps(const JsonView& view, Linux& out) {
  out.uid_mappings = TRY(read_mappings(view, "uidMappings"));
  out.gid_mappings = TRY(read_mappings(view, "gidMappings"));
  if (out.uid_mappings.empty() && out.gid_mappings.empty()) return {};
  if (out.uid_mappings.empty() || out.gid_mappings.empty()) {
    const std::string_view missing = out.uid_mappings.empty() ? "uidMappings" : "gidMappings";
    return view.refuse(fmt::format("\"{}\" is missing, which goes with the other mappings", missing));
  }
  if (find_namespace(out.namespaces, NamespaceType::user) != nullptr) return {};
  const JsonView list = TRY(view.member("uidMappings"));
  return list.refuse("it needs a user namespace in linux.namespaces");
}

// Engines of old have the bits of the file's type in it, as stat(2) gives them.
Result<std::optional<uint32_t>> read_mode(const JsonView& device) {
  constexpr uint32_t kTypeAndPermissions = 0177777;
  constexpr uint32_t kPermissions = 07777;
  const auto mode = TRY(read_number<uint32_t>(device, "fileMode", 0, kTypeAndPermissions));
  return mode ? std::optional(*mode & kPermissions) : mode;
}

Result<DeviceNode> read_device(const JsonView& view) {
  DeviceNode out;
  const JsonView type = TRY(view.member("type"));
  const JsonView path = TRY(view.member("path"));
  out.type = TRY(read_word(type, kDeviceTypes));
  out.path = TRY(read_absolute_path(path));
  if (out.type != 'p') {
    const JsonView major = TRY(view.member("major"));
    const JsonView minor = TRY(view.member("minor"));
    out.major = TRY(read_major(major));
    out.minor = TRY(read_minor(minor));
  }
  out.mode = TRY(read_mode(view));
  if (const auto uid = TRY(view.find("uid"))) out.uid = ContainerUid(TRY(read_id(*uid)));
  if (const auto gid = TRY(view.find("gid"))) out.gid = ContainerGid(TRY(read_id(*gid)));
  return out;
}

// Where it may be below the cgroup root is for the runtime to decide; that it leads out of there is not.
Result<std::string> read_cgroups_path(const JsonView& linux_part) {
  std::string path = TRY(read_line(linux_part, "cgroupsPath"));
  if (path.empty()) return path;
  const JsonView view = TRY(linux_part.member("cgroupsPath"));
  if (has_parent_part(path, '/')) return view.refuse_value("is not allowed, it has a part \"..\"");
  return path;
}

// Masking is mounting: without a mount namespace the host itself would lose these paths.
Result<std::vector<std::string>> read_covered_paths(const JsonView& linux_part, std::string_view key,
                                                    const std::vector<Namespace>& namespaces) {
  std::vector<std::string> paths = TRY(read_absolute_paths(linux_part, key));
  if (paths.empty() || find_namespace(namespaces, NamespaceType::mount) != nullptr) return paths;
  const JsonView list = TRY(linux_part.member(key));
  return list.refuse("it needs a mount namespace in linux.namespaces");
}

Result<std::optional<uint32_t>> read_personality(const JsonView& linux_part) {
  const auto view = TRY(linux_part.find("personality"));
  if (!view) return std::optional<uint32_t>();
  const JsonView domain = TRY(view->member("domain"));
  const uint32_t number = TRY(read_word(domain, kDomains));
  const std::vector<JsonView> flags = TRY(read_list(*view, "flags", kMaxListed));
  if (!flags.empty()) return flags.front().refuse_value("is not allowed, there are no flags yet");
  return std::optional(number);
}

// A line of resctrl's "schemata", or none.
Result<std::string> read_schema(const JsonView& intel_rdt, std::string_view key, std::string_view prefix) {
  const auto view = TRY(intel_rdt.find(key));
  if (!view) return std::string();
  std::string schema = TRY(view->string());
  if (!schema.empty() && !prefix.empty() && !schema.starts_with(prefix)) {
    return view->refuse_value(fmt::format("is not allowed, it must begin with \"{}\"", prefix));
  }
  return schema;
}

}  // namespace

Result<std::vector<DeviceNode>> read_devices(const JsonView& linux_part) {
  std::vector<DeviceNode> out;
  for (const JsonView& view : TRY(read_list(linux_part, "devices", kMaxListed))) {
    out.push_back(TRY(read_device(view)));
  }
  return out;
}

Result<std::optional<IntelRdt>> read_intel_rdt(const JsonView& linux_part) {
  const auto view = TRY(linux_part.find("intelRdt"));
  if (!view) return std::optional<IntelRdt>();
  IntelRdt out;
  out.clos_id = TRY(view->string_or_empty("closID"));
  if (!out.clos_id.empty() && !is_plain_name(out.clos_id)) {
    const JsonView clos_id = TRY(view->member("closID"));
    return clos_id.refuse_value("is not allowed, it must be the name of a directory");
  }
  // The first "SHOULD" begin with "L3:" and be one line, the second MUST begin so (config-linux.md).
  out.l3_cache_schema = TRY(read_schema(*view, "l3CacheSchema", ""));
  out.memory_bandwidth_schema = TRY(read_line(*view, "memBwSchema"));
  TRY(read_schema(*view, "memBwSchema", "MB:"));
  out.schemata = TRY(read_strings(*view, "schemata", kMaxListed));
  for (const std::string_view key : {"enableMonitoring", "enableCMT", "enableMBM"}) {
    out.enable_monitoring |= TRY(view->boolean_or_false(key));
  }
  return std::optional(std::move(out));
}

Result<Linux> read_linux(const JsonView& view) {
  Linux out;
  out.namespaces = TRY(read_namespaces(view));
  TRY(read_id_maps(view, out));
  out.time_offsets = TRY(read_time_offsets(view, out.namespaces));
  out.sysctls = TRY(read_sysctls(view, out.namespaces));
  if (const auto resources = TRY(view.find("resources"))) out.resources = TRY(read_resources(*resources));
  out.cgroups_path = TRY(read_cgroups_path(view));
  out.devices = TRY(read_devices(view));
  out.seccomp = TRY(read_seccomp(view));
  out.rootfs_propagation = TRY(read_rootfs_propagation(view));
  out.masked_paths = TRY(read_covered_paths(view, "maskedPaths", out.namespaces));
  out.readonly_paths = TRY(read_covered_paths(view, "readonlyPaths", out.namespaces));
  out.mount_label = TRY(read_line(view, "mountLabel"));
  out.intel_rdt = TRY(read_intel_rdt(view));
  out.personality = TRY(read_personality(view));
  return out;
}

}  // namespace berth::bundle
