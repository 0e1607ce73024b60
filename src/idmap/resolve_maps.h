// From what was asked with --uidmap and --gidmap to the two maps of a container. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "idmap/id_map.h"
#include "idmap/id_range.h"
#include "idmap/map_request.h"

namespace berth::idmap {

// Host IDs of a map that are not the container's own. Whether anybody else holds them is the ledger's to say.
struct ForeignRange {
  IdRange host;
  std::string asked_by;        // "--uidmap 0:200000"
  bool size_left_out = false;  // a bank's length was assumed: who knows podman may have meant one ID
  friend bool operator==(const ForeignRange&, const ForeignRange&) = default;
};

struct ResolvedMaps {
  IdMap users;
  IdMap groups;
  // In the order of the container's IDs.
  std::vector<ForeignRange> foreign_users;
  std::vector<ForeignRange> foreign_groups;
};

// Whether the container needs IDs of its own: where a kind is not asked for at all, where a request leaves
// its host ID out, and where the first one adds to what would be there without it.
bool needs_own_ids(const MapRequests& requests);

// `own` is the map that the container would have without any request, the same for users and groups. It is
// not looked at, and may be any map, where needs_own_ids() is false.
//
// Requests apply in their order. The first one replaces `own`, unless it has a `+`: then it, like every
// other one with a `+`, takes its IDs on both sides away from what is there. Of a kind that is not asked for,
// the map is `own`. Code::usage: two requests without `+` share an ID on one side, an own range is not within
// `own`, or the result breaks one of the kernel's limits.
Result<ResolvedMaps> resolve_maps(const MapRequests& requests, const IdMap& own);

}  // namespace berth::idmap
