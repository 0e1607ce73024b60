#include "runtime/plan.h"

namespace berth::runtime {

std::vector<IdExtent> extents_of(std::span<const idmap::Extent> map) {
  std::vector<IdExtent> extents;
  for (const idmap::Extent& extent : map) extents.push_back({extent.inside, extent.outside, extent.count});
  return extents;
}

Result<uint32_t> outside_id(const std::vector<IdExtent>& map, uint32_t inside) {
  if (map.empty()) return inside;
  for (const IdExtent& extent : map) {
    if (inside >= extent.inside && inside - extent.inside < extent.count) {
      return extent.outside + (inside - extent.inside);
    }
  }
  return fail("the ID {} is not in the container's map", inside);
}

std::string map_text(const std::vector<IdExtent>& map) {
  std::string text;
  for (const IdExtent& extent : map) {
    text += fmt::format("{} {} {}\n", extent.inside, extent.outside, extent.count);
  }
  return text;
}

}  // namespace berth::runtime
