// Which of the host's IDs a new container gets: from what was asked for (--userns, --uidmap, --gidmap,
// --bank, --project), what the policy allows and what the ledger has.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "config/config.h"
#include "engine/container/container_spec.h"
#include "idmap/id_map.h"
#include "idmap/userns_mode.h"
#include "store/containers.h"
#include "store/database.h"

namespace berth::engine {

// Who asks. Under sudo the person behind it, for --userns keep-id.
struct Caller {
  HostUid uid;
  HostGid gid;
  std::string name;  // on the host; the number in decimal where it has none
};
Caller caller_from_environment();

struct IdRequest {
  const ContainerSpec& spec;
  const config::Config& config;
  Caller caller;
};

struct IdDecision {
  std::optional<idmap::IdMap> users;  // none: the host's own IDs
  std::optional<idmap::IdMap> groups;
};

// What --userns is where nothing was said, and whom the container runs as with keep-id, as podman has it.
Result<> settle_userns(ContainerSpec& spec, const config::Config& config, Caller caller);

// Within the transaction that records the container: its own banks are taken from the ledger, shared ones and
// host ranges outside all banks are recorded as used by it. Code::usage for what can't be, Code::refused for
// what the policy or the holder of a range forbids, Code::conflict where the pool is full.
Result<IdDecision> decide_ids(store::Database& db, const std::string& container_id, const IdRequest& request);

// Whether deciding will bring a numbered bank into being, which stays when the container goes: ledger.json is
// to say so (engine/recovery/store_copy.h). Within the same transaction, before decide_ids().
bool brings_a_number(store::Database& db, const ContainerSpec& spec);

// The decision that was recorded with a container.
Result<IdDecision> recorded_maps(const store::ContainerRecord& record);

// Whether the policy, which may be another than when it was made, lets a container start.
Result<> check_recorded(const store::ContainerRecord& record, const ContainerSpec& spec,
                        const config::Config& config);

// What was asked for; where that is nothing, what the configuration says.
Result<idmap::UsernsMode> userns_mode_of(const ContainerSpec& spec, const config::Config& config);

}  // namespace berth::engine
