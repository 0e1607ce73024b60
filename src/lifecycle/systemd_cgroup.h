// --systemd-cgroup: the container's cgroup is a scope that systemd makes.
#pragma once

#include <string>

#include "base/error.h"
#include "cgroup/cgroups_path.h"
#include "systemd/manager.h"

namespace berth::lifecycle {

// What linux.cgroupsPath says, "slice:prefix:name"; "" is system.slice and a name from the container's ID.
// Code::refused for one that can't be, or is not for a scope.
Result<cgroup::SystemdPath> scope_path(const std::string& cgroups_path, const std::string& id);

// With a hint for those whose engine asks for systemd where there is none.
Result<systemd::Manager> connect_to_systemd();

}  // namespace berth::lifecycle
