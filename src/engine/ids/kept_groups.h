// --group-add keep-groups: the caller's supplementary groups for a container's process.
//
// A process can't be given a group of the host's that its user namespace has not mapped, but it keeps those
// that it had when the namespace was made. So they have to be this process's before it starts berth-monitor,
// and the container's process must not call setgroups(2). Inside, a group that is mapped shows as what it is
// mapped to, any other as 65534; what the host's files allow it counts all the same.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "config/config.h"
#include "engine/container/container_spec.h"
#include "engine/ids/id_decision.h"

namespace berth::engine {

// Where the container keeps groups: asks the policy (Code::refused), and takes on the groups of the caller,
// who under sudo is the person behind it. Call it before spawn_monitor(), at every start.
Result<> take_kept_groups(const ContainerSpec& spec, const config::Config& config, Caller caller);

// The policy's part alone: require-private refuses it, and allowed-ranges what is outside of them.
Result<> check_kept_groups(const config::Config& config, const std::vector<HostGid>& groups);

// What this process would hand on.
Result<std::vector<HostGid>> own_groups();

// The sentence that says which groups of the host's the process keeps.
std::string kept_groups_text(const std::vector<HostGid>& groups, const idmap::IdMap& gids);

}  // namespace berth::engine
