#include "engine/container/cgroup_manager.h"

#include "base/log.h"
#include "cgroup/cgroups_path.h"
#include "systemd/manager.h"

namespace berth::engine {

namespace {

constexpr std::string_view kSlice = ".slice";

// The last name: where a slice is follows from what it is called.
std::string slice_in(const std::string& parent) {
  const std::string name = parent.substr(parent.rfind('/') + 1);
  return name.ends_with(kSlice) ? name : "";
}

std::unexpected<Error> no_slice(const ResourceSpec& spec, const config::Origin& origin) {
  Error error{Code::usage, 0,
              fmt::format("--cgroup-parent {}: systemd makes the cgroups (cgroup-manager = \"systemd\", {}), "
                          "and has slices for that",
                          printable(spec.cgroup_parent), origin.text()),
              "Name a slice, such as web.slice; it need not be there."};
  return std::unexpected(std::move(error));
}

Result<bool> systemd_is_there(const config::Setting<std::string>& manager) {
  const bool demanded = manager.value == "systemd";
  if (!demanded && !systemd::runs_here()) return false;
  const Result<> reached = systemd::reach();
  if (reached) return true;
  if (!demanded) {
    log::warn("systemd runs here, but can't be reached: {}; the container's cgroup is made without it",
              reached.error().message);
    return false;
  }
  Error error = reached.error();
  error.message =
      fmt::format("systemd is to make the container's cgroup, and can't be reached: {}", error.message);
  error.hint = fmt::format("cgroup-manager = \"cgroupfs\" does without it ({}).", manager.origin.text());
  return std::unexpected(std::move(error));
}

}  // namespace

Result<std::string> slice_for(const ResourceSpec& spec, const config::Config& config) {
  const config::Setting<std::string>& manager = config.defaults.cgroup_manager;
  if (manager.value == "cgroupfs" || !spec.own_cgroup) return "";
  std::string slice = spec.cgroup_parent.empty() ? config.defaults.slice.value : slice_in(spec.cgroup_parent);
  if (slice.empty() && manager.value == "systemd") return no_slice(spec, manager.origin);
  if (slice.empty() || !TRY(systemd_is_there(manager))) return "";
  return slice;
}

}  // namespace berth::engine
