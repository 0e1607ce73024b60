// How the IDs of each mount are dealt with, decided at every start: the one part of the plan of mounts that
// has to look at the host.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/container/container_spec.h"
#include "engine/identity/users.h"
#include "idmap/id_map.h"
#include "runtime/plan.h"
#include "store/store.h"

namespace berth::engine {

// For one mount of the spec.
struct MountDecision {
  std::string target;
  std::string strategy;  // "none", "idmap", "confine"
  std::string reason;    // why, for people
  bool map_ids = false;
  std::vector<runtime::IdExtent> uid_map;  // see runtime::MountPlan
  std::vector<runtime::IdExtent> gid_map;
  std::vector<std::string> covered;  // see covered_places.h
};

// Whom the mounts are for.
struct MountUser {
  const std::optional<idmap::IdMap>& uid_map;  // none: the host's IDs
  const std::optional<idmap::IdMap>& gid_map;
  const ResolvedUser& user;
  bool overrides_modes = false;  // has CAP_DAC_OVERRIDE in its user namespace
};

// One decision for each mount of the spec, in its order. Completes volumes that a killed command has left
// half made, changes owners where that is asked for (U), and adds what the person should know. Whether a file
// system can map IDs is not asked here: the monitor tries it on a detached copy of the mount, and refuses
// with the reason (runtime/mapped_binds.h).
Result<std::vector<MountDecision>> prepare_mounts(const store::Store& store, const ContainerSpec& spec,
                                                  const MountUser& user, std::vector<std::string>& warnings);

// What the last start has decided, for `berth inspect`; kept in the container's directory.
Result<> write_mount_decisions(const store::Store& store, std::string_view container_id,
                               const std::vector<MountDecision>& decisions);
// Target, strategy and reason only; empty where there was no start, or no mount.
std::vector<MountDecision> read_mount_decisions(const store::Store& store, std::string_view container_id);

}  // namespace berth::engine
