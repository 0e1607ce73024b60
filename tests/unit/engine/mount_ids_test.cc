// The options that say whose files those of a mount are, and the maps that they make.
#include "engine/volumes/mount_ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::engine {
namespace {

using testing::HasSubstr;

MountSpec bind(std::vector<std::string> options) {
  return {.type = "bind", .source = "/srv", .target = "/data", .options = std::move(options)};
}

std::string error_of(std::vector<std::string> options) {
  const Result<MountIds> ids = mount_ids(bind(std::move(options)));
  return ids ? "" : ids.error().message;
}

std::string text_of(const Result<std::vector<runtime::IdExtent>>& map) {
  return map ? runtime::map_text(*map) : map.error().message;
}

std::optional<idmap::IdMap> two_banks() {
  return idmap::IdMap::from_extents({{0, 1000000, 10}, {10, 2000000, 10}}).value();
}

TEST(MountIds, SaysNothingByDefault) {
  const MountIds ids = mount_ids(bind({"nosuid", "noexec"})).value();
  EXPECT_EQ(ids.way, MountIds::Way::plain);
  EXPECT_FALSE(ids.chown);
}

TEST(MountIds, ReadsMapsAsPodmanWritesThem) {
  const MountIds ids = mount_ids(bind({"idmap=uids=0-1-10#10-@11-1;gids=5-6-7"})).value_or(MountIds{});
  EXPECT_TRUE(ids.uids.empty()) << "the mark stands before the whole triple";
  const MountIds good = mount_ids(bind({"idmap=uids=0-1-10#@10-11-1;gids=5-6-7"})).value();
  ASSERT_EQ(good.uids.size(), 2U);
  EXPECT_FALSE(good.uids[0].in_container);
  EXPECT_TRUE(good.uids[1].in_container);
  EXPECT_EQ(good.uids[1].disk, 10U);
  EXPECT_EQ(good.uids[1].host, 11U);
  ASSERT_EQ(good.gids.size(), 1U);
  EXPECT_EQ(good.gids[0].count, 7U);
}

TEST(MountIds, OneKindServesForBoth) {
  const MountIds ids = mount_ids(bind({"idmap=gids=5-6-7"})).value();
  ASSERT_EQ(ids.uids.size(), 1U);
  EXPECT_EQ(ids.uids[0].disk, 5U);
}

TEST(MountIds, RefusesWhatMakesNoSense) {
  for (const char* option : {"idmap=", "idmap=uids=", "idmap=uids=1-2", "idmap=uids=1-2-3-4",
                             "idmap=uids=1-2-0", "idmap=uids=-1-2-3", "idmap=uids=1-2-x",
                             "idmap=uids=4294967295-0-1", "idmap=uids=99999999999999999999-0-1",
                             "idmap=1-2-3", "idmap=pids=1-2-3", "idmap=uids=1-2-3;;gids=1-2-3"}) {
    EXPECT_THAT(error_of({option}), HasSubstr("DISK-HOST-COUNT")) << option;
  }
  EXPECT_THAT(error_of({"idmap=uids=1-2-3;uids=1-2-3"}), HasSubstr("twice"));
  EXPECT_THAT(error_of({"idmap", "confine=root"}), HasSubstr("already"));
  EXPECT_THAT(error_of({"confine="}), HasSubstr("USER[:GROUP]"));
  EXPECT_THAT(error_of({"confine=:www"}), HasSubstr("USER[:GROUP]"));
  EXPECT_THAT(error_of({"uid=33"}), HasSubstr("confine=USER"));
  EXPECT_THAT(error_of({"confine=root", "gid=www"}), HasSubstr("a number"));
  EXPECT_THAT(error_of({"U=maybe"}), HasSubstr("true or false"));
}

TEST(MountMap, GoesThroughTheContainersMapWhereMarked) {
  EXPECT_EQ(text_of(mount_map({{5, 0, 2, false}}, two_banks())), "5 0 2\n");
  EXPECT_EQ(text_of(mount_map({{5, 0, 2, true}}, two_banks())), "5 1000000 2\n");
  EXPECT_EQ(text_of(mount_map({{100, 8, 4, true}}, two_banks())), "100 1000008 2\n102 2000000 2\n")
      << "over the end of an extent";
  EXPECT_EQ(text_of(mount_map({{5, 7, 1, true}}, std::nullopt)), "5 7 1\n") << "the host's own IDs";
}

TEST(MountMap, RefusesWhatTheKernelWould) {
  EXPECT_THAT(text_of(mount_map({{5, 19, 2, true}}, two_banks())), HasSubstr("no ID 20"));
  EXPECT_THAT(text_of(mount_map({{0, 1, 5, false}, {4, 10, 1, false}}, two_banks())), HasSubstr("twice"));
  EXPECT_THAT(text_of(mount_map({{4294967290, 0, 100, false}}, two_banks())), HasSubstr("last ID"));
}

}  // namespace
}  // namespace berth::engine
