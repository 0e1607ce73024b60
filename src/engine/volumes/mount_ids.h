// Whose files those of a mount are: the options idmap, confine, uid, gid and U of -v and --mount. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/container/container_spec.h"
#include "idmap/id_map.h"
#include "runtime/plan.h"

namespace berth::engine {

// One "DISK-HOST-COUNT" of idmap=uids=…: `count` IDs from `disk` on, on the mounted file system, are seen as
// the host's from `host` on. With "@" before it `host` is an ID of the container's.
struct IdTriple {
  uint32_t disk = 0;
  uint32_t host = 0;
  uint32_t count = 0;
  bool in_container = false;
};

struct MountIds {
  enum class Way {
    plain,    // as they are on disk: for a volume the container's own, for a host directory the host's
    idmap,    // through the container's map, or through one that was given
    confine,  // one UID and one GID of the container's are one user and one group of the host's
  };
  Way way = Way::plain;
  std::vector<IdTriple> uids;  // idmap=…; both empty: the container's map
  std::vector<IdTriple> gids;
  std::string confined_to;      // USER[:GROUP]
  std::optional<uint32_t> uid;  // with confine: which of the container's; none: the process's own
  std::optional<uint32_t> gid;
  bool chown = false;  // U
};

// Whether the option is one of those that mount_ids() reads.
bool is_id_option(std::string_view option);

// Code::usage for values that make no sense, and for options that do not go together.
Result<MountIds> mount_ids(const MountSpec& mount);

// The maps of a mount, from the IDs on disk to the host's (runtime::MountPlan::uid_map). `triples` may not be
// empty; `container` is the container's map, none for the host's IDs.
Result<std::vector<runtime::IdExtent>> mount_map(const std::vector<IdTriple>& triples,
                                                 const std::optional<idmap::IdMap>& container);

}  // namespace berth::engine
