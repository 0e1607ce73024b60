// linux.resources in the words of the cgroup library. Pure.
#pragma once

#include "bundle/resources.h"
#include "cgroup/devices.h"
#include "cgroup/limits.h"

namespace berth::lifecycle {

cgroup::Limits limits_of(const bundle::Resources& resources);
std::vector<cgroup::DeviceRule> device_rules_of(const bundle::Resources& resources);

}  // namespace berth::lifecycle
