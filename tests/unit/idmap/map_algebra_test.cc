#include "idmap/map_algebra.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "map_model.h"

namespace berth::idmap {
namespace {

using testing::HasSubstr;

// Random maps over few IDs, so that two of them meet often. Both ends of the space of IDs come up.
class RandomMaps {
 public:
  explicit RandomMaps(uint32_t seed) : random_(seed) {}

  IdMap next(uint32_t inside_base, uint32_t outside_base) {
    while (true) {
      std::vector<Extent> extents(1 + random_() % 5);
      for (Extent& extent : extents) {
        extent = {inside_base + number(40), outside_base + number(40), 1 + number(12)};
      }
      if (auto map = IdMap::from_extents(std::move(extents))) return std::move(map).value();
    }
  }
  uint32_t number(uint32_t below) { return static_cast<uint32_t>(random_() % below); }

 private:
  std::mt19937 random_;
};

constexpr uint32_t kNearTheEnd = 4294967294U - 60;

TEST(MapAlgebra, InvertingAgreesWithEachId) {
  RandomMaps maps(1);
  for (int round = 0; round < 2000; ++round) {
    const IdMap map = maps.next(round % 2 == 0 ? 0 : kNearTheEnd, round % 3 == 0 ? 100000 : kNearTheEnd);
    Model expected;
    for (const auto& [inside, outside] : model_of(map.extents())) expected.emplace(outside, inside);
    const IdMap turned = inverted(map);
    ASSERT_EQ(model_of(turned.extents()), expected);
    ASSERT_EQ(inverted(turned), map);
    ASSERT_EQ(count(map), expected.size());
  }
}

TEST(MapAlgebra, TheLargestMapsCanBeInverted) {
  std::vector<Extent> extents;
  for (uint32_t i = 0; i < IdMap::kMaxExtents; ++i) extents.push_back({i * 2, 1000 + i * 2, 1});
  const IdMap map = map_of(extents);
  EXPECT_EQ(inverted(inverted(map)), map);
}

TEST(MapAlgebra, ComposingAgreesWithEachId) {
  RandomMaps maps(2);
  int composable = 0;
  for (int round = 0; round < 3000; ++round) {
    const uint32_t middle = round % 2 == 0 ? 500 : kNearTheEnd;
    const IdMap inner = maps.next(0, middle);
    const IdMap outer = maps.next(middle, 1048576);
    Model expected;
    const Model second = model_of(outer.extents());
    for (const auto& [inside, between] : model_of(inner.extents())) {
      if (const auto found = second.find(between); found != second.end()) {
        expected.emplace(inside, found->second);
      }
    }
    const auto map = composed(inner, outer);
    ASSERT_EQ(map.has_value(), !expected.empty());
    if (!map) continue;
    ++composable;
    ASSERT_EQ(model_of(map->extents()), expected);
    // What goes there and back stays where it was.
    const auto round_trip = composed(*map, inverted(*map));
    ASSERT_TRUE(round_trip);
    for (const Extent& extent : round_trip->extents()) ASSERT_EQ(extent.inside, extent.outside);
    ASSERT_EQ(count(*round_trip), expected.size());
  }
  EXPECT_GT(composable, 1000);
}

TEST(MapAlgebra, ComposingIsAssociative) {
  RandomMaps maps(3);
  for (int round = 0; round < 2000; ++round) {
    const IdMap a = maps.next(0, 500);
    const IdMap b = maps.next(500, 900);
    const IdMap c = maps.next(900, 100000);
    const auto ab = composed(a, b);
    const auto bc = composed(b, c);
    const auto left = ab ? composed(*ab, c) : ab;
    const auto right = bc ? composed(a, *bc) : bc;
    ASSERT_EQ(left.has_value(), right.has_value());
    if (left) {
      ASSERT_EQ(*left, *right);
    }
  }
}

TEST(MapAlgebra, NothingInCommonIsAnError) {
  const auto map = composed(map_of({{0, 1000, 10}}), map_of({{0, 5000, 10}}));
  ASSERT_FALSE(map);
  EXPECT_EQ(map.error().message,
            "no ID is left: what 0-9 → 1000-1009 maps to is not mapped by 0-9 → 5000-5009");
}

TEST(MapAlgebra, MissingAndExtendsAgreeWithEachId) {
  RandomMaps maps(4);
  int extended = 0;
  for (int round = 0; round < 3000; ++round) {
    const uint32_t base = round % 2 == 0 ? 0 : kNearTheEnd;
    const IdMap map = maps.next(base, 100000);
    const IdMap other = maps.next(base, 100000);
    const Model has = model_of(map.extents());
    const Model wants = model_of(other.extents());
    std::set<uint64_t> expected;
    for (const auto& [inside, outside] : wants) {
      if (!has.contains(inside)) expected.insert(inside);
    }
    ASSERT_EQ(ids_of(missing(map, other)), expected);

    const uint64_t begin = base + maps.number(40);
    const IdRange range{begin, begin + maps.number(20)};
    std::set<uint64_t> of_range;
    for (uint64_t id = range.begin; id < range.end; ++id) {
      if (!has.contains(id)) of_range.insert(id);
    }
    ASSERT_EQ(ids_of(missing(map, range)), of_range);

    // The other map is seldom a part of the first one, so a part of it is tried as well.
    const auto part = IdMap::from_extents(without(map.extents(), range, {0, 0}));
    for (const IdMap& candidate : {other, part ? *part : map}) {
      bool all_there = true;
      for (const auto& [inside, outside] : model_of(candidate.extents())) {
        const auto found = has.find(inside);
        all_there = all_there && found != has.end() && found->second == outside;
      }
      ASSERT_EQ(extends(map, candidate), all_there);
      extended += all_there ? 1 : 0;
    }
  }
  EXPECT_GT(extended, 1000);
}

TEST(MapAlgebra, CuttingAndJoiningAgreeWithEachId) {
  RandomMaps maps(5);
  for (int round = 0; round < 3000; ++round) {
    const uint32_t base = round % 2 == 0 ? 0 : kNearTheEnd;
    const IdMap map = maps.next(base, base);
    const uint64_t in = base + maps.number(50);
    const uint64_t out = base + maps.number(50);
    const IdRange inside{in, in + maps.number(10)};
    const IdRange outside{out, out + maps.number(10)};
    Model expected;
    for (const auto& [a, b] : model_of(map.extents())) {
      if (!inside.contains(a) && !outside.contains(b)) expected.emplace(a, b);
    }
    const std::vector<Extent> rest = without(map.extents(), inside, outside);
    ASSERT_EQ(model_of(rest), expected);
    const std::vector<Extent> fewest = joined(rest);
    ASSERT_EQ(model_of(fewest), expected);
    for (size_t i = 1; i < fewest.size(); ++i) {
      ASSERT_FALSE(inside_of(fewest[i - 1]).end == fewest[i].inside &&
                   outside_of(fewest[i - 1]).end == fewest[i].outside);
    }
  }
}

TEST(MapAlgebra, ARelativeMapIsShiftedIntoBanks) {
  const std::vector<Bank> banks{Bank(20), Bank(9)};
  const IdMap relative = map_of({{0, 0, 1000}, {5000, 65530, 10}, {1000040000, 70000, 10}});
  const IdMap map = shifted_into_banks(relative, banks).value();
  EXPECT_EQ(map.text(), fmt::format("0 {} 1000\n5000 {} 6\n5006 {} 4\n1000040000 {} 10\n", 20 * 65536,
                                    20 * 65536 + 65530, 9 * 65536, 9 * 65536 + 70000 - 65536));
}

TEST(MapAlgebra, ARelativeMapThatNeedsMoreBanksIsRefused) {
  const std::vector<Bank> one{Bank(20)};
  const auto map = shifted_into_banks(map_of({{0, 65530, 10}}), one);
  ASSERT_FALSE(map);
  EXPECT_EQ(map.error().message, "the map needs the IDs up to 65539, and 1 bank has them up to 65535");
  EXPECT_FALSE(shifted_into_banks(map_of({{0, 0, 10}}), {})) << "no bank at all";
}

TEST(MapAlgebra, WholeSpaceFitsIntoSixtyFourBits) {
  const IdMap all = map_of({{0, 0, 4294967295U}});
  EXPECT_EQ(count(all), 4294967295U);
  EXPECT_EQ(composed(all, all).value(), all);
  EXPECT_EQ(inverted(all), all);
  EXPECT_TRUE(missing(all, all).empty());
  EXPECT_EQ(missing(all, IdRange{4294967290U, 4294967296U}),
            (std::vector<IdRange>{{4294967295U, 4294967296U}}));
}

}  // namespace
}  // namespace berth::idmap
