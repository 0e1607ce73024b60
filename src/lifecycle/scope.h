// A container's cgroup as systemd makes it (--systemd-cgroup): a scope, which the container's first process
// is in from its beginning. It is delegated: what is below it and what systemd has no word for is
// berth-runtime's.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "cgroup/cgroup.h"
#include "cgroup/cgroups_path.h"
#include "cgroup/devices.h"
#include "cgroup/limits.h"

namespace berth::lifecycle {

// What linux.cgroupsPath says, "slice:prefix:name"; "" is system.slice and a name from the container's ID.
// Code::refused for one that can't be, or is not for a scope.
Result<cgroup::SystemdPath> scope_path(const std::string& cgroups_path, const std::string& id);

struct ScopeRequest {
  std::string id;  // the container's
  cgroup::SystemdPath path;
  pid_t process = 0;  // waiting, and moved in by systemd
  std::vector<cgroup::DeviceRule> rules;
};

// Makes the scope; when it returns the process is in its cgroup. Code::conflict if there is one of that name.
Result<> start_scope(const ScopeRequest& request);

// The limits by systemd's properties, and then all of them by the cgroup's files.
Result<> apply_limits(const std::string& unit, const cgroup::Cgroup& cgroup, const cgroup::Limits& limits);

// Ends the scope that this cgroup is the cgroup of, if systemd's part of it is still there: another one of
// the same name is somebody else's. What fails is a warning, for the cgroup can be removed without systemd.
void stop_scope(const std::string& unit, const cgroup::Cgroup& cgroup);

}  // namespace berth::lifecycle
