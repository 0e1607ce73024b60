// The cgroup of a container: which one it gets, which one it has, and what is left of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/error.h"
#include "cgroup/cgroup.h"
#include "config/config.h"
#include "engine/container/resource_spec.h"
#include "monitor/protocol.h"
#include "store/store.h"

namespace berth::engine {

// What the monitor of a container that is about to start has to make: "container-ID" below the parent, or
// where systemd makes it (cgroup_manager.h), "berth-ID.scope" in the slice. Code::usage where a device of a
// limit is none.
Result<monitor::CgroupRequest> cgroup_request(std::string_view id, const ResourceSpec& spec,
                                              const config::Config& config);

// What the resources are for a cgroup of either version.
Result<cgroup::Limits> cgroup_limits(const ResourceSpec& spec);

// The cgroup of a container that runs, to look at it, freeze it, add a process or change its limits; nullopt
// if it has none of its own (--cgroups=disabled, or a host that gives none). Valid as long as the container's
// monitor lives: it removes the cgroup when the container ends.
Result<std::optional<cgroup::Cgroup>> cgroup_of(const store::Store& store, std::string_view id);

// Whether the kernel has killed a process of one that runs for want of memory, as far as that can be seen.
bool has_run_out_of_memory(const store::Store& store, std::string_view id);

// Ends what runs in the cgroup, frozen or not, and waits until it has ended (10 s at most). No cgroup is no
// error.
Result<> kill_in_cgroup(const store::Store& store, std::string_view id);

// After the end of a monitor that was killed: ends what runs in its container's cgroup and removes it.
Result<> remove_lost_cgroup(const store::Store& store, std::string_view id);

// Removes the empty cgroups of monitors that were killed before they had recorded them. Nothing of a monitor
// that lives is touched, whichever store it works for. Those of the containers `in_use` (IDs) are not looked
// at.
Result<> remove_unused_cgroups(const std::unordered_set<std::string>& in_use);

}  // namespace berth::engine
