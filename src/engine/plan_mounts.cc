#include "engine/plan_mounts.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <sys/mount.h>

#include "engine/volumes/mount_ids.h"

namespace berth::engine {

namespace {

using runtime::MountKind;
using runtime::MountPlan;

constexpr uint64_t kQuiet = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

using Options = std::vector<std::string>;

MountPlan filesystem(const char* type, std::string target, Options options, uint64_t attributes) {
  return {.kind = MountKind::filesystem,
          .type = type,
          .target = std::move(target),
          .options = std::move(options),
          .attributes = {.set = attributes}};
}

MountPlan namespaced(const char* type, const char* target, Options options, uint64_t attributes) {
  MountPlan mount = filesystem(type, target, std::move(options), attributes);
  mount.kind = MountKind::namespaced;
  return mount;
}

// Of an IPC namespace that is shared it is as good a part as the message queues.
void add_shared_memory(std::vector<MountPlan>& mounts, const PlanInputs& inputs) {
  constexpr const char* kPlace = "/dev/shm";
  const ContainerSpec& spec = inputs.spec;
  if (spec.spaces.ipc == kNoIpc) return;
  MountPlan mount = filesystem("tmpfs", kPlace, {"mode=1777", fmt::format("size={}", spec.shm_size)}, kQuiet);
  if (spec.spaces.ipc == kHostSpace || inputs.shared_memory.pid != 0) {
    mount = {.kind = MountKind::bind, .source = kPlace, .target = kPlace, .attributes = {.set = kQuiet}};
    mount.of_process = inputs.shared_memory.pid;
    mount.of_process_start = inputs.shared_memory.start;
  }
  mounts.push_back(std::move(mount));
}

void add_standard(std::vector<MountPlan>& mounts, const PlanInputs& inputs) {
  const ContainerSpec& spec = inputs.spec;
  mounts.push_back(namespaced("proc", "/proc", {}, kQuiet));
  // The kernel lets no root but the host's own make devices.
  const bool may_make_devices = !inputs.uid_map && !spec.privileged;
  const uint64_t only_these_devices = may_make_devices ? MOUNT_ATTR_NODEV : 0;
  mounts.push_back(filesystem("tmpfs", "/dev", {"mode=755", "size=65536k"},
                              MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME | only_these_devices));
  // The terminals' group is 5 wherever there is one; a map without it leaves them to their owner's group.
  constexpr uint32_t kTtyGroup = 5;
  const bool has_group = !inputs.gid_map || inputs.gid_map->to_host(ContainerGid(kTtyGroup)).has_value();
  Options terminals{"newinstance", "ptmxmode=0666", "mode=0620"};
  if (has_group) terminals.push_back(fmt::format("gid={}", kTtyGroup));
  mounts.push_back(
      namespaced("devpts", "/dev/pts", std::move(terminals), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
  mounts.push_back(namespaced("mqueue", "/dev/mqueue", {}, kQuiet));
  add_shared_memory(mounts, inputs);
  const uint64_t sys_mode = spec.privileged ? 0 : MOUNT_ATTR_RDONLY;
  if (spec.network == "host") {
    // sysfs shows a network namespace, and only that namespace's owner may mount it.
    mounts.push_back({.kind = MountKind::bind,
                      .source = "/sys",
                      .target = "/sys",
                      .below = {.set = kQuiet | sys_mode},
                      .recursive = true});
  } else {
    mounts.push_back(namespaced("sysfs", "/sys", {}, kQuiet | sys_mode));
  }
  const auto own_file = [&](const std::string& source, const char* target) {
    mounts.push_back({.kind = MountKind::bind,
                      .source = source,
                      .target = target,
                      .attributes = {.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV}});
  };
  if (!inputs.files.hosts.empty()) own_file(inputs.files.hosts, "/etc/hosts");
  own_file(inputs.files.hostname, "/etc/hostname");
  own_file(inputs.files.resolv_conf, "/etc/resolv.conf");
  if (spec.read_only && spec.read_only_tmpfs) {
    for (const char* target : {"/run", "/tmp", "/var/tmp"})
      mounts.push_back(filesystem("tmpfs", target, {"mode=1777"}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
  }
}

struct Option {
  std::string_view name;
  uint64_t set;
  uint64_t clear;
};
constexpr std::array<Option, 8> kAttributes{{{"nosuid", MOUNT_ATTR_NOSUID, 0},
                                             {"suid", 0, MOUNT_ATTR_NOSUID},
                                             {"nodev", MOUNT_ATTR_NODEV, 0},
                                             {"dev", 0, MOUNT_ATTR_NODEV},
                                             {"noexec", MOUNT_ATTR_NOEXEC, 0},
                                             {"exec", 0, MOUNT_ATTR_NOEXEC},
                                             {"noatime", MOUNT_ATTR_NOATIME, 0},
                                             {"nodiratime", MOUNT_ATTR_NODIRATIME, 0}}};

Result<uint64_t> propagation_of(const MountSpec& mount) {
  const std::string& name = mount.propagation;
  if (name.empty() || name == "private" || name == "rprivate") return uint64_t{MS_PRIVATE};
  if (name == "slave" || name == "rslave") return uint64_t{MS_SLAVE};
  if (name == "shared" || name == "rshared") return uint64_t{MS_SHARED};
  return fail(Code::usage, "mount {}: there is no propagation \"{}\"", mount.target, name);
}

Result<MountPlan> plan_mount(const MountSpec& mount, const MountDecision& decision) {
  const bool tmpfs = mount.type == "tmpfs";
  MountPlan plan{.kind = tmpfs ? MountKind::filesystem : MountKind::bind,
                 .type = tmpfs ? "tmpfs" : "",
                 .source = mount.source,
                 .target = mount.target,
                 .recursive = mount.type == "bind" && mount.recursive,
                 .map_ids = decision.map_ids,
                 .uid_map = decision.uid_map,
                 .gid_map = decision.gid_map};
  plan.propagation = {{TRY(propagation_of(mount)), plan.recursive}};
  // No setuid file and no device from outside, unless asked for.
  uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  if (mount.read_only) attributes |= MOUNT_ATTR_RDONLY;
  if (tmpfs) plan.options = {"mode=1777"};
  for (const std::string& option : mount.options) {
    const auto* known = std::find_if(kAttributes.begin(), kAttributes.end(),
                                     [&](const Option& candidate) { return candidate.name == option; });
    if (known != kAttributes.end()) {
      attributes = (attributes & ~known->clear) | known->set;
    } else if (tmpfs && (option.starts_with("size=") || option.starts_with("mode=") ||
                         option.starts_with("nr_inodes="))) {
      plan.options.push_back(option);
    } else if (!is_id_option(option) && !(mount.type == "volume" && option == "nocopy")) {
      return fail(Code::usage, "mount {}: there is no option \"{}\" for a {} mount", mount.target, option,
                  mount.type);
    }
  }
  (plan.recursive ? plan.below : plan.attributes).set = attributes;
  return plan;
}

bool is_shared(const MountPlan& mount) {
  return std::any_of(mount.propagation.begin(), mount.propagation.end(),
                     [](const runtime::Propagation& one) { return one.type == MS_SHARED; });
}

// What is mounted in a shared directory would be mounted on the host too.
Result<> check_shared(const std::vector<MountPlan>& asked) {
  for (const MountPlan& mount : asked) {
    if (!is_shared(mount)) continue;
    for (const MountPlan& other : asked) {
      if (!other.target.starts_with(mount.target + "/")) continue;
      return fail(Code::refused, "the mount on {} lies in {}, which is shared with the host", other.target,
                  mount.target);
    }
  }
  return {};
}

size_t depth(const std::string& path) {
  return static_cast<size_t>(std::count(path.begin(), path.end(), '/'));
}

}  // namespace

Result<std::vector<MountPlan>> plan_mounts(const PlanInputs& inputs) {
  std::vector<MountPlan> mounts;
  add_standard(mounts, inputs);
  std::vector<MountPlan> asked;
  for (size_t i = 0; i < inputs.spec.mounts.size(); ++i)
    asked.push_back(TRY(plan_mount(inputs.spec.mounts[i], inputs.mount_decisions.at(i))));
  TRY(check_shared(asked));
  for (const MountDecision& decision : inputs.mount_decisions)
    for (const std::string& place : decision.covered)
      std::erase_if(mounts, [&](const MountPlan& standard) { return standard.target == place; });
  for (const MountPlan& mount : asked) {
    if (mount.target == "/" || mount.target == "/proc" || mount.target == "/dev" || mount.target == "/sys") {
      return fail(Code::refused, "a mount on {} would take the place of what every container needs there",
                  mount.target);
    }
    std::erase_if(mounts, [&](const MountPlan& other) { return other.target == mount.target; });
  }
  // What is asked for comes last, and with it the standard mounts that it would hide.
  const auto hidden = std::stable_partition(mounts.begin(), mounts.end(), [&](const MountPlan& standard) {
    return std::none_of(asked.begin(), asked.end(), [&](const MountPlan& mount) {
      return standard.target.starts_with(mount.target + "/");
    });
  });
  std::move(hidden, mounts.end(), std::back_inserter(asked));
  mounts.erase(hidden, mounts.end());
  // /a before /a/b, whatever the order of the flags.
  std::stable_sort(asked.begin(), asked.end(),
                   [](const MountPlan& a, const MountPlan& b) { return depth(a.target) < depth(b.target); });
  std::move(asked.begin(), asked.end(), std::back_inserter(mounts));
  return mounts;
}

}  // namespace berth::engine
