#include "idmap/id_shift.h"

#include <algorithm>

namespace berth::idmap {

namespace {

const Extent* extent_of(const std::vector<Extent>& extents, uint32_t id) {
  const auto after =
      std::upper_bound(extents.begin(), extents.end(), id,
                       [](uint32_t value, const Extent& extent) { return value < extent.inside; });
  if (after == extents.begin()) return nullptr;
  const Extent& extent = *std::prev(after);
  return id - extent.inside < extent.count ? &extent : nullptr;
}

// Where `id`, which lies in the extent, comes to when the extent is applied until it has left it. One step,
// unless the extent overlaps itself.
uint32_t leave(const Extent& extent, uint32_t id) {
  const int64_t step = int64_t{extent.outside} - extent.inside;
  if (step == 0) return id;
  const int64_t room =
      step > 0 ? int64_t{extent.inside} + extent.count - 1 - id : int64_t{id} - extent.inside;
  const int64_t times = room / (step > 0 ? step : -step) + 1;
  return static_cast<uint32_t>(id + times * step);
}

}  // namespace

IdShift::IdShift(const IdMap& map) : forward_(map.extents().begin(), map.extents().end()) {
  for (const Extent& extent : forward_) backward_.push_back({extent.outside, extent.inside, extent.count});
  std::sort(backward_.begin(), backward_.end(),
            [](const Extent& a, const Extent& b) { return a.inside < b.inside; });
}

IdShift IdShift::inverse() const {
  return {backward_, forward_};
}

uint32_t IdShift::operator()(uint32_t id) const {
  if (const Extent* extent = extent_of(forward_, id)) return id - extent->inside + extent->outside;
  // Back through the map to an ID that none leads to: whoever has it is mapped, so it is free. It ends, as
  // the map is one to one and `id` itself is at the end of its chain.
  while (const Extent* extent = extent_of(backward_, id)) id = leave(*extent, id);
  return id;
}

}  // namespace berth::idmap
