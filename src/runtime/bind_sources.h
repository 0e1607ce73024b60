// What a plan mounts from the host.
#pragma once

#include <string>
#include <vector>

#include "runtime/plan.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

// The sources of the plan's bind mounts as detached clones, mapped where asked, in the order of plan.mounts
// (an invalid descriptor for other kinds). Opened before anything of the container exists that could move
// them. `host_mounts`: the host's mount namespace, for those that are to follow what is mounted there later.
Result<std::vector<sys::UniqueFd>> open_bind_sources(const ContainerPlan& plan, int user_namespace,
                                                     int host_mounts);

// A detached copy of a directory of the host's with all that is mounted below it. `propagation`: what it is
// to have; one that follows the host is taken from the host's own mounts.
Result<sys::UniqueFd> clone_from_host(const std::string& path, const std::vector<Propagation>& propagation,
                                      int host_mounts);

}  // namespace berth::runtime
