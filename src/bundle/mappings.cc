#include <algorithm>
#include <numeric>

#include "bundle/config_parts.h"

namespace berth::bundle {

namespace {

using idmap::Extent;
using idmap::IdMap;

Result<Extent> read_mapping(const JsonView& view) {
  Extent extent;
  const JsonView inside = TRY(view.member("containerID"));
  const JsonView outside = TRY(view.member("hostID"));
  const JsonView size = TRY(view.member("size"));
  extent.inside = TRY(read_id(inside));
  extent.outside = TRY(read_id(outside));
  extent.count = TRY(size.number<uint32_t>());
  if (extent.count == 0) return size.refuse_value("is not allowed");
  for (const idmap::IdRange& range : {inside_of(extent), outside_of(extent)}) {
    if (range.end > idmap::kLastId + 1) {
      return size.refuse_value(fmt::format("is not allowed, {} IDs from {} on would go beyond {}",
                                           extent.count, range.begin, idmap::kLastId));
    }
  }
  return extent;
}

// Code::refused at the later of two entries that have an ID in common.
template <typename Side>
Result<> refuse_overlaps(const std::vector<JsonView>& views, const std::vector<Extent>& extents,
                         std::string_view member, Side side) {
  std::vector<size_t> order(extents.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return side(extents[a]).begin < side(extents[b]).begin; });
  for (size_t i = 1; i < order.size(); ++i) {
    const size_t lower = order[i - 1];
    const size_t upper = order[i];
    if (!side(extents[lower]).overlaps(side(extents[upper]))) continue;
    const JsonView value = TRY(views[std::max(lower, upper)].member(member));
    return value.refuse_value(fmt::format("is not allowed, the entry overlaps [{}]", std::min(lower, upper)));
  }
  return {};
}

}  // namespace

Result<std::vector<Extent>> read_mappings(const JsonView& object, std::string_view key) {
  const std::optional<JsonView> list = TRY(object.find(key));
  if (!list) return std::vector<Extent>();
  const std::vector<JsonView> views = TRY(read_list(object, key, IdMap::kMaxExtents));
  std::vector<Extent> extents;
  extents.reserve(views.size());
  for (const JsonView& view : views) extents.push_back(TRY(read_mapping(view)));
  TRY(refuse_overlaps(views, extents, "containerID", idmap::inside_of));
  TRY(refuse_overlaps(views, extents, "hostID", idmap::outside_of));
  if (extents.empty()) return extents;
  // What is left to refuse is a text that does not fit into the one write that the kernel takes.
  const Result<IdMap> map = IdMap::from_extents(extents);
  if (!map) return list->refuse(map.error().message);
  return extents;
}

}  // namespace berth::bundle
