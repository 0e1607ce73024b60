// What is done with whole ID maps: put one after another, turned round, compared, moved. Pure; all arithmetic
// is 64 bits wide.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "idmap/id_map.h"
#include "idmap/id_range.h"

namespace berth::idmap {

// How many IDs a map maps.
uint64_t count(const IdMap& map);

// All IDs of one side, normalized.
std::vector<IdRange> inside_ranges(const IdMap& map);
std::vector<IdRange> outside_ranges(const IdMap& map);

// The map read from the other side: what was outside is inside.
IdMap inverted(const IdMap& map);

// One map behind the other: an ID goes through `inner`, and what comes out of it through `outer`. IDs that
// `outer` does not map are left out; Code::refused if none is left, or if the result breaks one of the
// kernel's limits.
Result<IdMap> composed(const IdMap& inner, const IdMap& outer);

// A map whose outside IDs count from 0 within some banks, as a map to host IDs: 0-65535 are the first bank's,
// 65536-131071 the second one's. Code::refused where it reaches past the last bank.
Result<IdMap> shifted_into_banks(const IdMap& relative, std::span<const Bank> banks);

// The IDs inside `wanted` (or inside the map `wanted`) that `map` does not map, normalized. Empty: it holds
// them all.
std::vector<IdRange> missing(const IdMap& map, IdRange wanted);
std::vector<IdRange> missing(const IdMap& map, const IdMap& wanted);

// Whether `map` maps every ID that `part` maps, and to the same host ID.
bool extends(const IdMap& map, const IdMap& part);

// The extents without those IDs whose inside or outside ID is in one of the two ranges. What is cut in the
// middle becomes two extents.
std::vector<Extent> without(std::span<const Extent> extents, IdRange inside, IdRange outside);

// The same mapping in the fewest extents, in ascending order of `inside`. The extents must be disjoint.
std::vector<Extent> joined(std::vector<Extent> extents);

}  // namespace berth::idmap
