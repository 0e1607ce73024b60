// The values of --uidmap and --gidmap, as a person writes them. Pure.
//
//   [+ug][CONTAINER]:[@][HOST][:[SIZE]]
//
// as podman-run(1) has it, and any field may be left out; docs/id-maps.md says what it means then.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"

namespace berth::idmap {

// What one value asks for. It is possible in itself: no size of 0, and nothing past the last ID.
struct MapRequest {
  std::string text;                 // the flag and its value, for messages: "--uidmap 0:200000"
  uint32_t inside = 0;              // 0 if left out
  std::optional<uint32_t> outside;  // left out: where the container's own banks have the IDs
  std::optional<uint32_t> count;    // left out: see map_request_size()
  bool adds = false;                // `+`: takes its IDs from what came before, and from the own banks
  bool host_terms = false;          // `@`: the host ID is the host's. For root it always is
  bool for_users = true;
  bool for_groups = true;

  friend bool operator==(const MapRequest&, const MapRequest&) = default;
};

// What a left out size is where a host ID is given: one ID with `+`, as podman has it, else a bank's length.
constexpr uint32_t map_request_size(const MapRequest& request) {
  return request.count.value_or(request.adds ? 1 : kBankSize);
}

// One value of `flag` ("--uidmap"). Code::usage, with the flag and the value in the message.
Result<MapRequest> parse_map_request(std::string_view flag, std::string_view value);

// The value that gives the same request again: "+u0:@200000:65536".
std::string map_request_value(const MapRequest& request);

// What is asked for users and what for groups, in the order of the command line.
struct MapRequests {
  std::vector<MapRequest> users;
  std::vector<MapRequest> groups;

  [[nodiscard]] bool empty() const { return users.empty() && groups.empty(); }
};

// All values of both flags. If only one of them is given, its values serve for users and for groups, less
// those that the flags u and g keep for one kind. Code::usage: a malformed value, or one for the other kind
// beside that kind's own flag.
Result<MapRequests> parse_map_requests(std::span<const std::string> uidmap,
                                       std::span<const std::string> gidmap);

}  // namespace berth::idmap
