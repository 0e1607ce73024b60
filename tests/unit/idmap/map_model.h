// ID maps and ranges ID by ID, which is slow and plainly right: what the algebra's results are held against.
#pragma once

#include <map>
#include <set>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "idmap/id_map.h"

namespace berth::idmap {

inline IdMap map_of(std::vector<Extent> extents) {
  auto map = IdMap::from_extents(std::move(extents));
  EXPECT_TRUE(map) << map.error().message;
  return std::move(map).value();
}

using Model = std::map<uint64_t, uint64_t>;

inline Model model_of(std::span<const Extent> extents) {
  Model model;
  for (const Extent& extent : extents) {
    for (uint64_t i = 0; i < extent.count; ++i) {
      EXPECT_TRUE(model.emplace(extent.inside + i, extent.outside + i).second);
    }
  }
  return model;
}

inline std::set<uint64_t> ids_of(const std::vector<IdRange>& ranges) {
  std::set<uint64_t> ids;
  for (const IdRange& range : ranges) {
    for (uint64_t id = range.begin; id < range.end; ++id) EXPECT_TRUE(ids.insert(id).second);
  }
  return ids;
}

}  // namespace berth::idmap
