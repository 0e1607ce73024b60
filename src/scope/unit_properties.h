// What systemd has to know of a container's limits: it writes its own idea of them again whenever it is
// reloaded, so it gets the values that are also written to the cgroup's files. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "cgroup/devices.h"
#include "cgroup/limits.h"
#include "systemd/manager.h"

namespace berth::scope {

// The properties (systemd.resource-control(5)) for what of the plan systemd has one; the rest it leaves
// alone in a cgroup that is delegated. `cpu_period`: the cgroup's now, in microseconds, for a plan that has a
// quota alone.
std::vector<systemd::Property> limit_properties(const std::vector<cgroup::Write>& plan, uint64_t cpu_period);

// DevicePolicy and DeviceAllow. At least what the rules allow: systemd has no rule that denies one device of
// several, and knows the devices of a major number by the name that /proc/devices (`devices`) has for it.
std::vector<systemd::Property> device_properties(const std::vector<cgroup::DeviceRule>& rules,
                                                 std::string_view devices);

}  // namespace berth::scope
