#include <sys/mount.h>

#include "bundle/config_parts.h"

namespace berth::bundle {

namespace {

constexpr std::array<Word<Propagation>, 8> kPropagations{{
    {"private", {MS_PRIVATE, false}},
    {"rprivate", {MS_PRIVATE, true}},
    {"rshared", {MS_SHARED, true}},
    {"rslave", {MS_SLAVE, true}},
    {"runbindable", {MS_UNBINDABLE, true}},
    {"shared", {MS_SHARED, false}},
    {"slave", {MS_SLAVE, false}},
    {"unbindable", {MS_UNBINDABLE, false}},
}};

// A relative one is taken as relative to "/", with a warning: version 1.2 has it as deprecated (config.md,
// "Mounts"), runc and crun accept it, and so old engines write it.
Result<std::string> read_destination(const JsonView& mount, Warnings& warnings) {
  const JsonView view = TRY(mount.member("destination"));
  std::string path = TRY(view.string());
  if (path.empty()) return view.refuse_value("is not allowed");
  if (path.starts_with('/')) return path;
  warn(warnings, view, view.shown() + " is relative, it is taken as relative to \"/\"");
  return "/" + path;
}

Result<MountOptions> read_options(const JsonView& mount) {
  const std::vector<std::string> texts = TRY(read_strings(mount, "options", kMaxMountOptions));
  Result<MountOptions> options = parse_mount_options(texts);
  if (options) return options;
  const JsonView list = TRY(mount.member("options"));
  return list.refuse(options.error().message);
}

// A bind mount's type says nothing; "bind" as the type of another means one, for no file system is called so.
Result<> read_type_and_source(const JsonView& view, Mount& out) {
  out.type = TRY(view.string_or_empty("type"));
  out.source = TRY(view.string_or_empty("source"));
  if (out.type == "bind") out.options.bind = true;
  if (out.options.bind) {
    out.type.clear();
    if (out.source.empty()) return view.refuse("\"source\" is missing, which a bind mount needs");
    return {};
  }
  if (!out.type.empty() || out.options.remount) return {};
  return view.refuse("\"type\" is missing, and it is not a bind mount");
}

// config.md, "POSIX-platform Mounts" and "idmap": mappings come in pairs, and without the option they are
// meant all the same; the option without mappings means the container's.
Result<> read_id_mappings(const JsonView& view, const std::vector<Namespace>& namespaces, Mount& out) {
  using Idmap = MountOptions::Idmap;
  out.uid_mappings = TRY(read_mappings(view, "uidMappings"));
  out.gid_mappings = TRY(read_mappings(view, "gidMappings"));
  if (out.uid_mappings.empty() != out.gid_mappings.empty()) {
    const std::string_view missing = out.uid_mappings.empty() ? "uidMappings" : "gidMappings";
    return view.refuse(fmt::format("\"{}\" is missing, which goes with the other mappings", missing));
  }
  const bool mapped = !out.uid_mappings.empty();
  if (mapped && !out.options.uid_triples.empty()) {
    return view.refuse("it has IDs both in \"idmap=\" and in \"uidMappings\"");
  }
  if (mapped && out.options.idmap == Idmap::none) out.options.idmap = Idmap::mount;
  const bool any = mapped || !out.options.uid_triples.empty();
  if (out.options.idmap != Idmap::none && !any &&
      find_namespace(namespaces, NamespaceType::user) == nullptr) {
    return view.refuse(
        "\"idmap\" needs \"uidMappings\" and \"gidMappings\" where there is no user namespace");
  }
  return {};
}

}  // namespace

Result<std::vector<Mount>> read_mounts(const JsonView& config, const std::vector<Namespace>& namespaces,
                                       Warnings& warnings) {
  std::vector<Mount> out;
  const std::vector<JsonView> views = TRY(read_list(config, "mounts", kMaxListed));
  // They would be the host's mounts, and stay.
  if (!views.empty() && find_namespace(namespaces, NamespaceType::mount) == nullptr) {
    const JsonView list = TRY(config.member("mounts"));
    return list.refuse("it needs a mount namespace in linux.namespaces");
  }
  out.reserve(views.size());
  for (const JsonView& view : views) {
    Mount mount;
    mount.destination = TRY(read_destination(view, warnings));
    mount.options = TRY(read_options(view));
    TRY(read_type_and_source(view, mount));
    TRY(read_id_mappings(view, namespaces, mount));
    out.push_back(std::move(mount));
  }
  return out;
}

Result<std::optional<Propagation>> read_rootfs_propagation(const JsonView& linux_part) {
  if (TRY(linux_part.string_or_empty("rootfsPropagation")).empty()) return std::optional<Propagation>();
  const JsonView view = TRY(linux_part.member("rootfsPropagation"));
  return std::optional(TRY(read_word(view, kPropagations)));
}

}  // namespace berth::bundle
