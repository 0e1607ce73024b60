#include "idmap/id_map.h"

#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "idmap/id_range.h"
#include "map_model.h"

namespace berth::idmap {
namespace {

using testing::HasSubstr;

std::string refusal(std::vector<Extent> extents) {
  const auto map = IdMap::from_extents(std::move(extents));
  return map ? "accepted" : map.error().message;
}

TEST(IdMap, ABankIsOneExtent) {
  const std::vector<Bank> banks{Bank(16)};
  const IdMap map = IdMap::from_banks(banks).value();
  EXPECT_EQ(map.text(), "0 1048576 65536\n");
  EXPECT_EQ(map.describe(), "0-65535 → 1048576-1114111");
  EXPECT_EQ(map.to_host(ContainerUid(0)), HostUid(1048576));
  EXPECT_EQ(map.to_host(ContainerGid(65535)), HostGid(1114111));
  EXPECT_EQ(map.to_host(ContainerUid(65536)), std::nullopt);
  EXPECT_EQ(map.to_container(HostUid(1048609)), ContainerUid(33));
  EXPECT_EQ(map.to_container(HostUid(1048575)), std::nullopt);
  EXPECT_EQ(map.to_container(HostGid(1114112)), std::nullopt);
}

TEST(IdMap, BanksFollowOneAnotherInside) {
  const std::vector<Bank> banks{Bank(20), Bank(9), Bank(10)};
  const IdMap map = IdMap::from_banks(banks).value();
  EXPECT_EQ(map.text(), "0 1310720 65536\n65536 589824 131072\n");
  EXPECT_EQ(map.to_host(ContainerUid(65536)), HostUid(9U * 65536));
  EXPECT_EQ(map.to_host(ContainerUid(131072)), HostUid(10U * 65536));
}

TEST(IdMap, TheSameBankTwiceIsRefused) {
  const std::vector<Bank> banks{Bank(20), Bank(20)};
  EXPECT_FALSE(IdMap::from_banks(banks));
}

TEST(IdMap, TheLastIdIsNeverMapped) {
  EXPECT_EQ(refusal({{0, 4294967295U, 1}}),
            "the ID map goes past the last ID, 4294967294: 0-0 → 4294967295-4294967295");
  EXPECT_THAT(refusal({{4294967295U, 0, 1}}), HasSubstr("past the last ID"));
  EXPECT_EQ(refusal({{4294967294U, 4294967294U, 1}}), "accepted");
  EXPECT_EQ(refusal({{0, 0, 4294967295U}}), "accepted") << "the map of the first user namespace";
  const std::vector<Bank> banks{Bank(0xFFFF)};
  EXPECT_FALSE(IdMap::from_banks(banks)) << "the last bank holds 4294967295";
}

TEST(IdMap, NothingWrapsRound) {
  EXPECT_THAT(refusal({{0, 4294901760U, 65536}}), HasSubstr("past the last ID"));
  EXPECT_THAT(refusal({{1, 1, 4294967295U}}), HasSubstr("past the last ID"));
  EXPECT_THAT(refusal({{4294967290U, 1000, 100}}), HasSubstr("past the last ID"));
}

TEST(IdMap, OverlapsAndEmptyExtentsAreRefused) {
  EXPECT_THAT(refusal({}), HasSubstr("empty"));
  EXPECT_THAT(refusal({{0, 1000, 0}}), HasSubstr("empty extent"));
  EXPECT_THAT(refusal({{0, 1000, 10}, {9, 2000, 10}}), HasSubstr("twice inside the container"));
  EXPECT_THAT(refusal({{0, 1000, 10}, {10, 1009, 10}}), HasSubstr("twice on the host"));
  EXPECT_EQ(refusal({{10, 1000, 10}, {0, 1010, 10}}), "accepted");
}

TEST(IdMap, TheKernelsLimitsAreKept) {
  std::vector<Extent> extents;
  for (uint32_t i = 0; i < 340; ++i) extents.push_back({i * 2, 1000 + i * 2, 1});
  EXPECT_EQ(refusal(extents), "accepted");
  extents.push_back({5000, 5000, 1});
  EXPECT_THAT(refusal(extents), HasSubstr("341 extents"));
  std::vector<Extent> long_lines;
  for (uint32_t i = 0; i < 200; ++i) long_lines.push_back({4000000000U + i * 2, 3000000000U + i * 2, 1});
  EXPECT_THAT(refusal(long_lines), HasSubstr("bytes long")) << "a write to uid_map is one page at most";
}

TEST(IdMap, LongMapsAreCutInMessages) {
  std::vector<Extent> extents;
  for (uint32_t i = 0; i < 10; ++i) extents.push_back({i * 2, 1000 + i * 2, 1});
  EXPECT_THAT(map_of(extents).describe(), HasSubstr("10-10 → 1010-1010 and 4 more"));
}

TEST(IdMap, ReadsTheKernelsText) {
  EXPECT_EQ(IdMap::parse("         0    1048576      65536\n").value(), map_of({{0, 1048576, 65536}}));
  for (const char* bad : {"", "1 2\n", "1 2 3 4\n", "a b c\n", "0 4294967296 1\n", "-1 0 1\n", "0 0 1\n\n"}) {
    EXPECT_FALSE(IdMap::parse(bad)) << bad;
  }
}

// Whatever from_extents accepts obeys the rules, and translating there and back is the identity.
TEST(IdMap, PropertiesOfAcceptedMaps) {
  std::mt19937_64 random(20240517);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<Extent> extents(1 + random() % 5);
    for (Extent& extent : extents) {
      const uint64_t shift = random() % 32;
      extent = {static_cast<uint32_t>(random() >> shift), static_cast<uint32_t>(random()),
                static_cast<uint32_t>((random() & 0xFFFFFFFF) >> (random() % 32))};
    }
    const auto map = IdMap::from_extents(extents);
    if (!map) continue;
    ++accepted;
    ASSERT_EQ(IdMap::parse(map->text()).value(), *map);
    for (const Extent& extent : extents) {
      ASSERT_LE(uint64_t{extent.outside} + extent.count, 4294967295U);
      ASSERT_LE(uint64_t{extent.inside} + extent.count, 4294967295U);
      for (const uint32_t offset : {0U, extent.count / 2, extent.count - 1}) {
        const ContainerUid inside(extent.inside + offset);
        ASSERT_EQ(map->to_host(inside), HostUid(extent.outside + offset));
        ASSERT_EQ(map->to_container(*map->to_host(inside)), inside);
      }
    }
    ASSERT_EQ(map->to_host(ContainerUid(4294967295U)), std::nullopt);
    ASSERT_EQ(map->to_container(HostGid(4294967295U)), std::nullopt);
  }
  EXPECT_GT(accepted, 1000);
}

TEST(IdRange, SubtractAndNormalizeAgreeWithSets) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::vector<IdRange> holes(random() % 6);
    std::set<uint64_t> expected;
    const IdRange whole{random() % 20, 20 + random() % 20};
    for (uint64_t id = whole.begin; id < whole.end; ++id) expected.insert(id);
    for (IdRange& hole : holes) {
      hole = {random() % 45, random() % 45};
      for (uint64_t id = hole.begin; id < hole.end; ++id) expected.erase(id);
    }
    ASSERT_EQ(ids_of(subtract(whole, normalized(holes))), expected);
  }
}

TEST(IdRange, EmptyRangesOverlapNothing) {
  EXPECT_FALSE((IdRange{5, 5}.overlaps({0, 10})));
  EXPECT_TRUE((IdRange{5, 6}.overlaps({0, 10})));
  EXPECT_FALSE((IdRange{0, 5}.overlaps({5, 10})));
}

}  // namespace
}  // namespace berth::idmap
