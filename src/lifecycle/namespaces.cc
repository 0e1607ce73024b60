#include "lifecycle/namespaces.h"

#include <array>

#include <sched.h>

#include "runtime/existing_namespace.h"

namespace berth::lifecycle {

namespace {

using bundle::NamespaceType;
using runtime::NamespaceUse;

struct Kind {
  NamespaceType type;
  int flag;
  NamespaceUse runtime::NamespacesPlan::* use;
};
constexpr std::array<Kind, 7> kKinds{
    {{NamespaceType::user, CLONE_NEWUSER, &runtime::NamespacesPlan::user},
     {NamespaceType::pid, CLONE_NEWPID, &runtime::NamespacesPlan::pid},
     {NamespaceType::network, CLONE_NEWNET, &runtime::NamespacesPlan::network},
     {NamespaceType::ipc, CLONE_NEWIPC, &runtime::NamespacesPlan::ipc},
     {NamespaceType::uts, CLONE_NEWUTS, &runtime::NamespacesPlan::uts},
     {NamespaceType::cgroup, CLONE_NEWCGROUP, &runtime::NamespacesPlan::cgroup},
     {NamespaceType::time, CLONE_NEWTIME, &runtime::NamespacesPlan::time}}};

Result<NamespaceUse> use_of(const Kind& kind, const bundle::Config& config, runtime::Namespaces& namespaces) {
  const bundle::Namespace* found = bundle::find_namespace(config.linux_part.namespaces, kind.type);
  if (found == nullptr) return NamespaceUse::host;
  if (found->path.empty()) return NamespaceUse::own;
  sys::UniqueFd fd =
      TRY_CONTEXT(sys::open_namespace(found->path, kind.flag), "config.json: linux.namespaces");
  if (TRY(sys::is_own_namespace(fd.get(), kind.flag))) return NamespaceUse::host;
  namespaces.joined.push_back({kind.flag, std::move(fd)});
  return NamespaceUse::joined;
}

Result<> take_maps(const bundle::Config& config, NamespaceSet& set) {
  const bundle::Linux& linux_part = config.linux_part;
  if (set.namespaces.plan.user == NamespaceUse::own) {
    if (linux_part.uid_mappings.empty() || linux_part.gid_mappings.empty())
      return fail(Code::refused,
                  "config.json: linux.uidMappings and linux.gidMappings: a new user namespace "
                  "needs both");
    set.uid_map = runtime::extents_of(linux_part.uid_mappings);
    set.gid_map = runtime::extents_of(linux_part.gid_mappings);
  } else if (set.namespaces.plan.user == NamespaceUse::joined) {
    const std::string& path = bundle::find_namespace(linux_part.namespaces, NamespaceType::user)->path;
    const runtime::NamespaceMaps maps = TRY(runtime::maps_of_namespace(path));
    set.uid_map = runtime::extents_of(maps.users.extents());
    set.gid_map = runtime::extents_of(maps.groups.extents());
  }
  return {};
}

// What was checked against the document holds of the kernel as well: a path may lead to the host's own.
Result<> check_sysctls(const bundle::Config& config, const runtime::NamespacesPlan& plan) {
  for (const bundle::Sysctl& sysctl : config.linux_part.sysctls) {
    const bool network = sysctl.path.starts_with("net/");
    const bool uts = sysctl.path == "kernel/hostname" || sysctl.path == "kernel/domainname";
    const NamespaceUse use = network ? plan.network : uts ? plan.uts : plan.ipc;
    if (use == NamespaceUse::host)
      return fail(Code::refused, "config.json: linux.sysctl: {} would be set for the whole host",
                  sysctl.path);
  }
  return {};
}

// "monotonic 1 5\n", as the kernel reads it (time_namespaces(7)).
std::string time_offsets(const bundle::Linux& linux_part) {
  std::string text;
  for (const bundle::TimeOffset& offset : linux_part.time_offsets) {
    const bool monotonic = offset.clock == bundle::TimeOffset::Clock::monotonic;
    text +=
        fmt::format("{} {} {}\n", monotonic ? "monotonic" : "boottime", offset.seconds, offset.nanoseconds);
  }
  return text;
}

}  // namespace

Result<NamespaceSet> namespaces_of(const bundle::Config& config) {
  const bundle::Namespace* mounts =
      bundle::find_namespace(config.linux_part.namespaces, NamespaceType::mount);
  if (mounts == nullptr || !mounts->path.empty())
    return fail(Code::refused,
                "config.json: linux.namespaces: a mount namespace of the container's own is needed");
  NamespaceSet set;
  for (const Kind& kind : kKinds) set.namespaces.plan.*kind.use = TRY(use_of(kind, config, set.namespaces));
  TRY(take_maps(config, set));
  TRY(check_sysctls(config, set.namespaces.plan));
  set.namespaces.time_offsets = time_offsets(config.linux_part);
  return set;
}

}  // namespace berth::lifecycle
