#include "idmap/map_algebra.h"

#include <algorithm>

namespace berth::idmap {

namespace {

std::vector<IdRange> side(const IdMap& map, IdRange (*of)(const Extent&)) {
  std::vector<IdRange> ranges;
  for (const Extent& extent : map.extents()) ranges.push_back(of(extent));
  return normalized(std::move(ranges));
}

// What of two ranges is common to both; empty if there is nothing.
IdRange common(const IdRange& a, const IdRange& b) {
  return {std::max(a.begin, b.begin), std::min(a.end, b.end)};
}

// The part of an extent from `offset` on, up to and without `end`.
Extent slice(const Extent& extent, uint64_t offset, uint64_t end) {
  return {static_cast<uint32_t>(extent.inside + offset), static_cast<uint32_t>(extent.outside + offset),
          static_cast<uint32_t>(end - offset)};
}

}  // namespace

uint64_t count(const IdMap& map) {
  uint64_t sum = 0;
  for (const Extent& extent : map.extents()) sum += extent.count;
  return sum;
}

std::vector<IdRange> inside_ranges(const IdMap& map) {
  return side(map, inside_of);
}
std::vector<IdRange> outside_ranges(const IdMap& map) {
  return side(map, outside_of);
}

IdMap inverted(const IdMap& map) {
  std::vector<Extent> extents;
  for (const Extent& extent : map.extents()) extents.push_back({extent.outside, extent.inside, extent.count});
  // Each rule of a map is the same on both sides, so turning one round can't break any.
  return IdMap::from_extents(std::move(extents)).value();
}

Result<IdMap> composed(const IdMap& inner, const IdMap& outer) {
  std::vector<Extent> extents;
  for (const Extent& first : inner.extents()) {
    for (const Extent& second : outer.extents()) {
      const IdRange between = common(outside_of(first), inside_of(second));
      if (between.empty()) continue;
      extents.push_back({static_cast<uint32_t>(first.inside + (between.begin - first.outside)),
                         static_cast<uint32_t>(second.outside + (between.begin - second.inside)),
                         static_cast<uint32_t>(between.end - between.begin)});
    }
  }
  if (extents.empty()) {
    return fail(Code::refused, "no ID is left: what {} maps to is not mapped by {}", inner.describe(),
                outer.describe());
  }
  return IdMap::from_extents(joined(std::move(extents)));
}

Result<IdMap> shifted_into_banks(const IdMap& relative, std::span<const Bank> banks) {
  const IdMap map = TRY(IdMap::from_banks(banks));
  for (const IdRange& range : outside_ranges(relative)) {
    const uint64_t end = static_cast<uint64_t>(banks.size()) * kBankSize;
    if (range.end > end) {
      return fail(Code::refused, "the map needs the IDs up to {}, and {} {} has them up to {}", range.end - 1,
                  banks.size(), banks.size() == 1 ? "bank" : "banks", end - 1);
    }
  }
  return composed(relative, map);
}

std::vector<IdRange> missing(const IdMap& map, IdRange wanted) {
  return subtract(wanted, inside_ranges(map));
}

std::vector<IdRange> missing(const IdMap& map, const IdMap& wanted) {
  const std::vector<IdRange> held = inside_ranges(map);
  std::vector<IdRange> out;
  for (const IdRange& range : inside_ranges(wanted)) {
    for (const IdRange& rest : subtract(range, held)) out.push_back(rest);
  }
  return out;
}

bool extends(const IdMap& map, const IdMap& part) {
  for (const Extent& wanted : part.extents()) {
    uint64_t found = 0;
    for (const Extent& extent : map.extents()) {
      const IdRange both = common(inside_of(extent), inside_of(wanted));
      if (both.empty()) continue;
      if (extent.outside + (both.begin - extent.inside) != wanted.outside + (both.begin - wanted.inside))
        return false;
      found += both.end - both.begin;
    }
    if (found != wanted.count) return false;
  }
  return true;
}

std::vector<Extent> without(std::span<const Extent> extents, IdRange inside, IdRange outside) {
  std::vector<Extent> out;
  for (const Extent& extent : extents) {
    const IdRange in = common(inside_of(extent), inside);
    const IdRange on_host = common(outside_of(extent), outside);
    // Both holes counted from the extent's own beginning, where they can be compared.
    std::vector<IdRange> holes;
    if (!in.empty()) holes.push_back({in.begin - extent.inside, in.end - extent.inside});
    if (!on_host.empty()) holes.push_back({on_host.begin - extent.outside, on_host.end - extent.outside});
    for (const IdRange& rest : subtract({0, extent.count}, normalized(std::move(holes)))) {
      out.push_back(slice(extent, rest.begin, rest.end));
    }
  }
  return out;
}

std::vector<Extent> joined(std::vector<Extent> extents) {
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.inside < b.inside; });
  std::vector<Extent> out;
  for (const Extent& extent : extents) {
    if (!out.empty() && inside_of(out.back()).end == extent.inside &&
        outside_of(out.back()).end == extent.outside) {
      out.back().count += extent.count;
    } else {
      out.push_back(extent);
    }
  }
  return out;
}

}  // namespace berth::idmap
