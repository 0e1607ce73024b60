#include "lifecycle/systemd_cgroup.h"

namespace berth::lifecycle {

namespace {

// "SLICE:PREFIX:NAME" of a container that names none.
constexpr const char* kPrefix = ":berth:";

}  // namespace

Result<cgroup::SystemdPath> scope_path(const std::string& cgroups_path, const std::string& id) {
  cgroup::SystemdPath path = TRY_CONTEXT(
      cgroup::parse_systemd_path(cgroups_path.empty() ? kPrefix + id : cgroups_path), "--systemd-cgroup");
  if (!path.unit.ends_with(".scope"))
    return fail(Code::refused, "--systemd-cgroup: {} is a slice, and a container is in a scope", path.unit);
  return path;
}

Result<systemd::Manager> connect_to_systemd() {
  Result<systemd::Manager> manager = systemd::Manager::connect();
  if (manager) return manager;
  Error error = std::move(manager.error()).context("--systemd-cgroup");
  error.hint =
      "Only where systemd runs can it make cgroups. Without it, let berth-runtime make them: the cgroup "
      "manager \"cgroupfs\" (podman, CRI-O), native.cgroupdriver=cgroupfs (dockerd), SystemdCgroup = false "
      "(containerd).";
  return std::unexpected(std::move(error));
}

}  // namespace berth::lifecycle
