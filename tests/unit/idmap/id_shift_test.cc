#include "idmap/id_shift.h"

#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "idmap/shifted_attributes.h"
#include "map_model.h"

namespace berth::idmap {
namespace {

TEST(IdShift, MovesMappedIdsAsTheMapSays) {
  const IdShift shift(map_of({{0, 1048576, 65536}}));
  EXPECT_EQ(shift(0), 1048576U);
  EXPECT_EQ(shift(65535), 1048576U + 65535);
  EXPECT_EQ(shift.inverse()(1048576 + 33), 33U);
}

TEST(IdShift, LeavesOtherIdsAloneButForThoseOfTheMapsHostSide) {
  const IdShift shift(map_of({{0, 1048576, 65536}}));
  EXPECT_EQ(shift(70000), 70000U);
  EXPECT_EQ(shift(4294967295), 4294967295U);
  // On the host it would be ID 4 of the container: it must not become that.
  EXPECT_EQ(shift(1048580), 4U);
  EXPECT_EQ(shift.inverse()(4), 1048580U);
}

TEST(IdShift, GoesFarThroughAMapThatOverlapsItself) {
  const IdShift shift(map_of({{0, 1, 4000000000}}));
  EXPECT_EQ(shift(4000000000), 0U);
  EXPECT_EQ(shift.inverse()(0), 4000000000U);
}

// Few IDs and many maps: the chains of IDs meet in every way. The oracle walks the map one ID at a time.
TEST(IdShift, IsOneToOneAndInvertible) {
  std::mt19937 random(7);
  const auto below = [&](uint32_t limit) { return static_cast<uint32_t>(random() % limit); };
  constexpr uint32_t kIds = 60;
  int tried = 0;
  while (tried < 3000) {
    std::vector<Extent> extents(1 + below(5));
    for (Extent& extent : extents) extent = {below(40), below(40), 1 + below(15)};
    const auto map = IdMap::from_extents(std::move(extents));
    if (!map) continue;
    ++tried;
    const IdShift shift(*map);
    const IdShift inverse = shift.inverse();
    std::set<uint32_t> images;
    for (uint32_t id = 0; id < kIds; ++id) {
      const uint32_t image = shift(id);
      EXPECT_TRUE(images.insert(image).second) << map->describe() << ": two IDs become " << image;
      EXPECT_EQ(inverse(image), id) << map->describe();
      if (const auto host = map->to_host(ContainerUid(id))) {
        EXPECT_EQ(image, host->value());
        continue;
      }
      EXPECT_FALSE(map->to_container(HostUid(image)))
          << map->describe() << ": " << id << " becomes " << image;
      uint32_t expected = id;
      while (const auto before = map->to_container(HostUid(expected))) expected = before->value();
      EXPECT_EQ(image, expected) << map->describe();
    }
  }
}

const Shift& bank() {
  static const Shift shift{IdShift(map_of({{0, 1048576, 65536}})), IdShift(map_of({{0, 2097152, 65536}}))};
  return shift;
}

const std::string kCapability2("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
const std::string kCapability3("\1\0\0\3\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0", 24);

TEST(ShiftedAttribute, CapabilitiesAreTheBanksRoots) {
  EXPECT_EQ(shifted_attribute("security.capability", kCapability2, bank()), kCapability3);
  EXPECT_EQ(shifted_attribute("security.capability", kCapability3, bank().inverse()), kCapability2);
}

TEST(ShiftedAttribute, CapabilitiesOfAnotherRoot) {
  const std::string of_five("\1\0\0\3\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0", 24);
  const std::string shifted("\1\0\0\3\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\x10\0", 24);
  EXPECT_EQ(shifted_attribute("security.capability", of_five, bank()), shifted);
  EXPECT_EQ(shifted_attribute("security.capability", shifted, bank().inverse()), of_five);
}

TEST(ShiftedAttribute, AclsNameShiftedUsersAndGroups) {
  const std::string acl(
      "\2\0\0\0"
      "\1\0\7\0\xFF\xFF\xFF\xFF"
      "\2\0\6\0\x21\0\0\0"
      "\4\0\4\0\xFF\xFF\xFF\xFF"
      "\x08\0\4\0\x22\0\0\0"
      "\x10\0\7\0\xFF\xFF\xFF\xFF"
      "\x20\0\0\0\xFF\xFF\xFF\xFF",
      52);
  std::string expected = acl;
  expected[18] = '\x10';  // user 33 + 1048576
  expected[34] = '\x20';  // group 34 + 2097152
  for (const char* name : {"system.posix_acl_access", "system.posix_acl_default"}) {
    EXPECT_EQ(shifted_attribute(name, acl, bank()), expected);
    EXPECT_EQ(shifted_attribute(name, expected, bank().inverse()), acl);
  }
}

TEST(ShiftedAttribute, OthersHaveNoIds) {
  EXPECT_EQ(shifted_attribute("user.any", kCapability2, bank()), kCapability2);
  EXPECT_EQ(shifted_attribute("trusted.overlay.opaque", "y", bank()), "y");
}

TEST(ShiftedAttribute, RefusesWhatItDoesNotKnow) {
  for (const std::string& value : {std::string(), std::string(3, '\0'), kCapability2 + "x",
                                   kCapability3.substr(0, 20), std::string("\1\0\0\1\0\4\0\0\0\0\0\0", 12)}) {
    const auto shifted = shifted_attribute("security.capability", value, bank());
    ASSERT_FALSE(shifted);
    EXPECT_EQ(shifted.error().code, Code::refused);
  }
  for (const std::string& value : {std::string(), std::string("\1\0\0\0", 4), std::string("\2\0\0\0\1", 5)})
    EXPECT_FALSE(shifted_attribute("system.posix_acl_access", value, bank()));
}

// Whatever the bytes, there and back is the same: but a capability with an ID of 0 is the older form.
TEST(ShiftedAttribute, ThereAndBack) {
  std::mt19937 random(3);
  for (int i = 0; i < 20000; ++i) {
    std::string value =
        i % 2 == 0 ? kCapability3 : std::string("\2\0\0\0", 4) + std::string(8 * (random() % 6), '\0');
    for (size_t at = 4; at < value.size(); ++at)
      value[at] = static_cast<char>(random() % 4 == 0 ? random() : 0);
    const char* name = i % 2 == 0 ? "security.capability" : "system.posix_acl_access";
    const auto there = shifted_attribute(name, value, bank());
    ASSERT_TRUE(there);
    const auto back = shifted_attribute(name, *there, bank().inverse());
    ASSERT_TRUE(back);
    const bool root = i % 2 == 0 && value.substr(20) == std::string(4, '\0');
    EXPECT_EQ(*back, root ? std::string("\1\0\0\2", 4) + value.substr(4, 16) : value);
  }
}

}  // namespace
}  // namespace berth::idmap
