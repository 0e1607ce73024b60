// exec --cgroup: a cgroup below the container's own.
#pragma once

#include <string>
#include <vector>

#include "cgroup/cgroup.h"

namespace berth::lifecycle {

// Each of `places` is "PATH", for all hierarchies, or "CONTROLLER[,...]:PATH", for those that have one of the
// controllers; the others stay. The directories are the container's to make and to rename, so they are
// resolved below its own and through no link. Code::usage for a controller that is nowhere.
Result<cgroup::Cgroup> open_sub_cgroup(const cgroup::Cgroup& own, const std::vector<std::string>& places);

}  // namespace berth::lifecycle
