// Cgroups below the container's own, where exec is to start a process there.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "cgroup/cgroup.h"

namespace berth::lifecycle {

// Each of `places` is "PATH", for all hierarchies, or "CONTROLLER[,...]:PATH", for those that have one of the
// controllers; the others stay. The directories are the container's to make and to rename, so they are
// resolved below its own and through no link. Code::usage for a controller that is nowhere.
Result<cgroup::Cgroup> open_sub_cgroup(const cgroup::Cgroup& own, const std::vector<std::string>& places);

// The container's, but of v2 the one below it in which its process is. What runs in a container may put
// itself there and give controllers to what is below; then nothing can enter the container's own any more
// (EBUSY, cgroups(7), "no internal processes"). Code::refused where the process is somewhere else.
Result<cgroup::Cgroup> open_cgroup_of_process(const cgroup::Cgroup& own, pid_t pid);

}  // namespace berth::lifecycle
