#include "idmap/resolve_maps.h"

#include <algorithm>
#include <span>

#include "idmap/map_algebra.h"

namespace berth::idmap {

namespace {

// A part of a map in the making, and the request that it is from; nullptr: the container's own IDs.
struct Piece {
  Extent extent;
  const MapRequest* request = nullptr;
};

constexpr const char* kAddHint = "A + in front of the later one takes the IDs away from what came before it.";

std::string describe(const IdRange& range) {
  if (range.end - range.begin == 1) return std::to_string(range.begin);
  return fmt::format("{}-{}", range.begin, range.end - 1);
}

std::string describe(const std::vector<IdRange>& ranges) {
  constexpr size_t kMost = 6;
  std::string text;
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (i == kMost) return text + fmt::format(" and {} more ranges", ranges.size() - i);
    text += (i == 0 ? "" : ", ") + describe(ranges[i]);
  }
  return text;
}

std::unexpected<Error> refuse(std::string message, const char* hint) {
  return std::unexpected(Error{Code::usage, 0, std::move(message), hint});
}

// The extents of the own IDs that the request names by their IDs inside.
Result<std::vector<Extent>> own_extents(const MapRequest& request, const IdMap& own) {
  const std::vector<IdRange> held = inside_ranges(own);
  uint64_t end = static_cast<uint64_t>(request.inside) + map_request_size(request);
  // Without a size it is all that follows, so that `::` is the whole of it.
  if (!request.count && !request.adds) end = held.back().end;
  const IdRange wanted{request.inside, end};
  if (wanted.empty() || !missing(own, wanted).empty()) {
    return refuse(
        fmt::format("{}: {} is not within the container's own IDs, which are {}", request.text,
                    describe(IdRange{wanted.begin, std::max(wanted.end, wanted.begin + 1)}), describe(held)),
        "A host ID in the second field maps them elsewhere; a further --bank makes more of them own.");
  }
  std::vector<Extent> extents;
  for (const Extent& extent : own.extents()) {
    const uint64_t begin = std::max(inside_of(extent).begin, wanted.begin);
    const uint64_t stop = std::min(inside_of(extent).end, wanted.end);
    if (begin >= stop) continue;
    extents.push_back({static_cast<uint32_t>(begin),
                       static_cast<uint32_t>(extent.outside + (begin - extent.inside)),
                       static_cast<uint32_t>(stop - begin)});
  }
  return extents;
}

Result<> check_overlap(const MapRequest& request, const Extent& extent, const Piece& piece) {
  struct Side {
    IdRange (*of)(const Extent&);
    const char* what;
  };
  for (const Side& side : {Side{inside_of, "the container's"}, Side{outside_of, "the host's"}}) {
    const IdRange both{std::max(side.of(extent).begin, side.of(piece.extent).begin),
                       std::min(side.of(extent).end, side.of(piece.extent).end)};
    if (both.empty()) continue;
    const std::string ids = fmt::format("{} {}", both.end - both.begin == 1 ? "ID" : "IDs", describe(both));
    if (piece.request == nullptr) {
      return refuse(
          fmt::format("{} overlaps the container's own range: both map {} {}", request.text, side.what, ids),
          kAddHint);
    }
    return refuse(
        fmt::format("{} and {} overlap: both map {} {}", piece.request->text, request.text, side.what, ids),
        kAddHint);
  }
  return {};
}

std::vector<Piece> cut(const std::vector<Piece>& pieces, const Extent& hole) {
  std::vector<Piece> rest;
  for (const Piece& piece : pieces) {
    const std::span<const Extent> one(&piece.extent, 1);
    for (const Extent& extent : without(one, inside_of(hole), outside_of(hole))) {
      rest.push_back({extent, piece.request});
    }
  }
  return rest;
}

Result<> apply(const MapRequest& request, const IdMap& own, std::vector<Piece>& pieces) {
  const std::vector<Extent> extents =
      request.outside ? std::vector<Extent>{{request.inside, *request.outside, map_request_size(request)}}
                      : TRY(own_extents(request, own));
  for (const Extent& extent : extents) {
    if (request.adds) {
      pieces = cut(pieces, extent);
      continue;
    }
    for (const Piece& piece : pieces) TRY(check_overlap(request, extent, piece));
  }
  for (const Extent& extent : extents) pieces.push_back({extent, &request});
  return {};
}

std::vector<ForeignRange> foreign_ranges(std::vector<Piece> pieces, const std::vector<IdRange>& held) {
  std::sort(pieces.begin(), pieces.end(),
            [](const Piece& a, const Piece& b) { return a.extent.inside < b.extent.inside; });
  std::vector<ForeignRange> foreign;
  for (const Piece& piece : pieces) {
    if (piece.request == nullptr) continue;
    for (const IdRange& range : subtract(outside_of(piece.extent), held)) {
      foreign.push_back({range, piece.request->text, !piece.request->count && !piece.request->adds});
    }
  }
  return foreign;
}

struct OneKind {
  IdMap map;
  std::vector<ForeignRange> foreign;
};

// `held`: the host IDs that are the container's own.
Result<OneKind> resolve(const std::vector<MapRequest>& requests, const IdMap& own,
                        const std::vector<IdRange>& held, std::string_view kind) {
  std::vector<Piece> pieces;
  if (requests.empty() || requests.front().adds) {
    for (const Extent& extent : own.extents()) pieces.push_back({extent, nullptr});
  }
  for (const MapRequest& request : requests) TRY(apply(request, own, pieces));
  std::vector<Extent> extents;
  for (const Piece& piece : pieces) extents.push_back(piece.extent);
  auto map = IdMap::from_extents(joined(std::move(extents)));
  if (!map) {
    Error error = std::move(map).error().context(fmt::format("the {}' map", kind));
    error.code = Code::usage;
    return std::unexpected(std::move(error));
  }
  return OneKind{std::move(map).value(), foreign_ranges(std::move(pieces), held)};
}

bool needs_own(const std::vector<MapRequest>& requests) {
  return requests.empty() || requests.front().adds ||
         std::any_of(requests.begin(), requests.end(),
                     [](const MapRequest& request) { return !request.outside; });
}

}  // namespace

bool needs_own_ids(const MapRequests& requests) {
  return needs_own(requests.users) || needs_own(requests.groups);
}

Result<ResolvedMaps> resolve_maps(const MapRequests& requests, const IdMap& own) {
  const std::vector<IdRange> held = needs_own_ids(requests) ? outside_ranges(own) : std::vector<IdRange>{};
  OneKind users = TRY(resolve(requests.users, own, held, "users"));
  OneKind groups = TRY(resolve(requests.groups, own, held, "groups"));
  return ResolvedMaps{std::move(users.map), std::move(groups.map), std::move(users.foreign),
                      std::move(groups.foreign)};
}

}  // namespace berth::idmap
