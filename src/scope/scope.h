// Cgroups as systemd makes them: scopes (systemd.scope(5)), in which a process is from their beginning. They
// are delegated: what is below one and what systemd has no word for is berth's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "cgroup/cgroup.h"
#include "cgroup/cgroups_path.h"
#include "cgroup/devices.h"
#include "cgroup/limits.h"
#include "systemd/manager.h"

namespace berth::scope {

struct Request {
  std::string description;
  cgroup::SystemdPath path;
  pid_t process = 0;                      // moved in by systemd
  bool delegated = true;                  // false: systemd's own, with no more than the process in it
  std::vector<cgroup::DeviceRule> rules;  // none: any device
  std::string stopped_after;              // a unit that ends before it when the machine goes down; "": none
};

// Makes the scopes, all at once; when it returns each process is in the cgroup of its own. Code::conflict if
// there is one of such a name.
Result<> start(systemd::Manager& manager, const std::vector<Request>& requests);

// The limits by systemd's properties, and then all of them by the cgroup's files.
Result<> apply_limits(systemd::Manager& manager, const std::string& unit, const cgroup::Cgroup& cgroup,
                      const cgroup::Limits& limits);

// The scope that a cgroup is the cgroup of, by its name; "" if it is none.
std::string unit_of(const cgroup::Cgroup& cgroup);

// Ends the scope that this cgroup is the cgroup of, if systemd's part of it is still there: another one of
// the same name is somebody else's. What fails is a warning, for the cgroup can be removed without systemd.
void stop(const std::string& unit, const cgroup::Cgroup& cgroup);

}  // namespace berth::scope
