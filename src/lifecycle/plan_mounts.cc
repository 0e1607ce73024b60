#include "lifecycle/plan_mounts.h"

#include <algorithm>
#include <array>
#include <optional>

#include <sys/mount.h>

#include "base/fields.h"
#include "safepath/root.h"

namespace berth::lifecycle {

namespace {

using runtime::MountKind;
using runtime::MountPlan;

runtime::AttributeChange change(const bundle::AttributeChange& options) {
  return {options.set, options.clear};
}

// idmap=uids=…: with "@" the other side is the container's IDs.
Result<std::vector<runtime::IdExtent>> map_of(const std::vector<bundle::IdTriple>& triples,
                                              const std::vector<runtime::IdExtent>& container) {
  std::vector<runtime::IdExtent> result;
  for (const bundle::IdTriple& triple : triples) {
    uint32_t outside = triple.outside;
    if (triple.relative) outside = TRY(runtime::outside_id(container, triple.outside));
    result.push_back({triple.on_disk, outside, triple.count});
  }
  return result;
}

Result<MountPlan> plan_bind(const bundle::Mount& mount, const PlanFacts& facts) {
  const bundle::MountOptions& options = mount.options;
  MountPlan plan{.kind = MountKind::bind,
                 .source = absolute(facts.bundle, mount.source),
                 .target = mount.destination,
                 .below = change(options.recursive_attributes),
                 .attributes = change(options.attributes),
                 .recursive = options.recursive_bind};
  for (const bundle::Propagation& one : options.propagation)
    plan.propagation.push_back({one.type, one.recursive});
  plan.map_ids = options.idmap != bundle::MountOptions::Idmap::none;
  plan.map_alone = options.idmap == bundle::MountOptions::Idmap::mount;
  if (!plan.map_ids) return plan;
  if (!options.uid_triples.empty()) {
    plan.uid_map = TRY(map_of(options.uid_triples, facts.uid_map));
    plan.gid_map = TRY(map_of(options.gid_triples, facts.gid_map));
  } else {
    plan.uid_map = runtime::extents_of(mount.uid_mappings);
    plan.gid_map = runtime::extents_of(mount.gid_mappings);
  }
  return plan;
}

struct SuperblockFlag {
  uint64_t flag;
  const char* name;
};
constexpr std::array<SuperblockFlag, 4> kSuperblockFlags{
    {{MS_SYNCHRONOUS, "sync"}, {MS_DIRSYNC, "dirsync"}, {MS_MANDLOCK, "mand"}, {MS_LAZYTIME, "lazytime"}}};

// In a tmpfs, which the host's root makes, IDs are the host's.
Result<std::string> parameter(const bundle::FilesystemParameter& one, bool tmpfs, const PlanFacts& facts) {
  if (!one.has_value) return one.key;
  const bool user = one.key == "uid";
  if (tmpfs && (user || one.key == "gid")) {
    const std::optional<uint32_t> id = whole_number<uint32_t>(one.value);
    if (!id) return fail(Code::refused, "{}={} is no ID", one.key, one.value);
    return fmt::format("{}={}", one.key, TRY(runtime::outside_id(user ? facts.uid_map : facts.gid_map, *id)));
  }
  return one.key + "=" + one.value;
}

Result<MountPlan> plan_filesystem(const bundle::Config& config, const bundle::Mount& mount,
                                  const PlanFacts& facts) {
  const bool tmpfs = mount.type == "tmpfs";
  MountPlan plan{.kind = tmpfs ? MountKind::filesystem : MountKind::namespaced,
                 .type = mount.type,
                 .source = mount.source,
                 .target = mount.destination,
                 .attributes = {.set = mount.options.attributes.set | mount.options.recursive_attributes.set},
                 .copy_up = tmpfs && mount.options.copy_up};
  for (const SuperblockFlag& flag : kSuperblockFlags)
    if ((mount.options.superblock_set & flag.flag) != 0) plan.options.emplace_back(flag.name);
  // The others that have such a thing have it always.
  if ((mount.options.superblock_set & MS_I_VERSION) != 0 && mount.type.starts_with("ext"))
    plan.options.emplace_back("i_version");
  const std::string& label = config.linux_part.mount_label;
  if (!label.empty() && (tmpfs || mount.type == "mqueue")) plan.options.push_back("context=" + label);
  for (const bundle::FilesystemParameter& one : mount.options.data)
    plan.options.push_back(TRY(parameter(one, tmpfs, facts)));
  return plan;
}

// Of what is there already.
Result<MountPlan> plan_remount(const bundle::Mount& mount) {
  if (!mount.options.data.empty())
    return fail(Code::refused, "remount: options of a file system can't be changed, only those of its mount");
  return MountPlan{.kind = MountKind::remount,
                   .target = mount.destination,
                   .below = change(mount.options.recursive_attributes),
                   .attributes = change(mount.options.attributes)};
}

MountPlan cgroup_mount(const char* type, const std::string& target, uint64_t attributes) {
  return {.kind = MountKind::namespaced,
          .type = type,
          .source = "cgroup",
          .target = target,
          .attributes = {.set = attributes}};
}

// "cgroup" is whatever the host has: v2, or a directory with v1's hierarchies (config-linux.md, "cgroup
// mounts"). The container's own cgroup is their root.
void plan_cgroups(const bundle::Mount& mount, const PlanFacts& facts, std::vector<MountPlan>& plans) {
  const uint64_t attributes = mount.options.attributes.set | mount.options.recursive_attributes.set;
  if (facts.hierarchies.unified()) {
    plans.push_back(cgroup_mount("cgroup2", mount.destination, attributes));
    return;
  }
  plans.push_back({.kind = MountKind::filesystem,
                   .type = "tmpfs",
                   .target = mount.destination,
                   .options = {"mode=755"},
                   .attributes = {.set = attributes & ~uint64_t{MOUNT_ATTR_RDONLY}}});
  for (const cgroup::Hierarchy& hierarchy : facts.hierarchies.all) {
    const std::string name =
        hierarchy.v2() ? "unified" : hierarchy.place.substr(hierarchy.place.rfind('/') + 1);
    MountPlan plan =
        cgroup_mount(hierarchy.v2() ? "cgroup2" : "cgroup", mount.destination + "/" + name, attributes);
    std::string_view controllers = hierarchy.key;
    while (!controllers.empty()) plan.options.emplace_back(take_until(controllers, ','));
    // A named hierarchy has no controllers, and says so.
    if (hierarchy.key.starts_with("name=")) plan.options.insert(plan.options.begin(), "none");
    plans.push_back(std::move(plan));
  }
  // Not before the hierarchies' directories are made.
  if ((attributes & MOUNT_ATTR_RDONLY) == 0) return;
  plans.push_back(
      {.kind = MountKind::remount, .target = mount.destination, .attributes = {.set = MOUNT_ATTR_RDONLY}});
}

}  // namespace

Result<std::vector<MountPlan>> plan_mounts(const bundle::Config& config, const PlanFacts& facts) {
  std::vector<MountPlan> plans;
  for (size_t i = 0; i < config.mounts.size(); ++i) {
    bundle::Mount mount = config.mounts[i];
    // "/proc/" and "/./proc" are the same place, which others look for by its name.
    mount.destination = "/" + safepath::relative(mount.destination);
    const std::string place = fmt::format("config.json: mounts[{}]", i);
    if (mount.options.remount && !mount.options.bind) {
      plans.push_back(TRY_CONTEXT(plan_remount(mount), "{}", place));
    } else if (mount.options.bind || mount.type.empty() || mount.type == "bind") {
      plans.push_back(TRY_CONTEXT(plan_bind(mount, facts), "{}", place));
    } else if (mount.type == "cgroup") {
      plan_cgroups(mount, facts, plans);
    } else {
      plans.push_back(TRY_CONTEXT(plan_filesystem(config, mount, facts), "{}", place));
    }
  }
  return plans;
}

}  // namespace berth::lifecycle
