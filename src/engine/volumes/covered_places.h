// What a mount on /etc or /var does to the places of the standard mounts below it.
#pragma once

#include <string>
#include <vector>

#include "engine/container/container_spec.h"

namespace berth::engine {

// The places of standard mounts (/etc/hosts, …) below the mount's target at which nothing can be mounted: a
// host directory, or what is read-only, has nothing of the right kind there, and nothing is made in it. In a
// volume or a tmpfs the place is made.
std::vector<std::string> covered_places(const MountSpec& mount);

}  // namespace berth::engine
