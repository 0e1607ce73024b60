#include "engine/ids/kept_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/identity/unmapped_users.h"

namespace berth::engine {
namespace {

idmap::IdMap map(std::vector<idmap::Extent> extents) {
  return idmap::IdMap::from_extents(std::move(extents)).value();
}

TEST(KeptGroups, TheSentenceNamesThem) {
  const idmap::IdMap gids = map({{0, 1048576, 65536}, {100000, 4100, 1}});
  EXPECT_EQ(kept_groups_text({}, gids), "keep-groups: the caller is in no group, so the process is in none.");
  EXPECT_EQ(kept_groups_text({HostGid(27)}, gids),
            "keep-groups: the process may do what the host's group 27 may; 1 of them not in the container's "
            "map, where `id` says 65534.");
  EXPECT_EQ(kept_groups_text({HostGid(4100)}, gids),
            "keep-groups: the process may do what the host's group 4100 (as 100000) may.");
  EXPECT_EQ(kept_groups_text({HostGid(1), HostGid(2)}, idmap::IdMap::whole()),
            "keep-groups: the process may do what the host's groups 1, 2 may.");
  std::vector<HostGid> many;
  for (uint32_t gid = 1; gid <= 10; ++gid) many.emplace_back(gid);
  EXPECT_EQ(
      kept_groups_text(many, gids),
      "keep-groups: the process may do what the host's groups 1, 2, 3, 4, 5, 6, 7, 8 and 2 more may; 10 "
      "of them not in the container's map, where `id` says 65534.");
}

TEST(KeptGroups, ThePolicyForbidsThem) {
  config::Config config;
  EXPECT_TRUE(check_kept_groups(config, {HostGid(4100)}));
  config.policy.allowed_ranges.value = std::vector<idmap::IdRange>{{4100, 4200}};
  EXPECT_TRUE(check_kept_groups(config, {HostGid(4100), HostGid(4199)}));
  const Result<> beyond = check_kept_groups(config, {HostGid(4100), HostGid(27)});
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, Code::refused);
  EXPECT_THAT(beyond.error().message,
              testing::HasSubstr("--group-add keep-groups with the host's IDs 27-27"));
  config = {};
  config.policy.require_private.value = true;
  const Result<> none = check_kept_groups(config, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::refused);
}

TEST(UnmappedUsers, AreCountedAndTheFirstAreNamed) {
  const std::string_view passwd =
      "root:x:0:0::/:\na:x:5:5::/:\nb:x:1000:1000::/:\nc:x:1001:1::/:\nd:x:70000:1::/:\n";
  EXPECT_EQ(unmapped_users_warning(passwd, idmap::IdMap::whole()), std::nullopt);
  EXPECT_EQ(unmapped_users_warning("", map({{0, 100, 1}})), std::nullopt);
  EXPECT_EQ(unmapped_users_warning("broken\n:x:9\nx:x:-1:0::/:\n", map({{0, 100, 1}})), std::nullopt);
  EXPECT_EQ(unmapped_users_warning(passwd, map({{0, 1048576, 65536}})).value(),
            "A user in /etc/passwd is outside the container's map of user IDs (0-65535 → "
            "1048576-1114111): d (70000). Nobody in it can become that user.");
  EXPECT_EQ(unmapped_users_warning(passwd, map({{0, 200000, 1}, {1001, 300000, 1}})).value(),
            "3 users in /etc/passwd are outside the container's map of user IDs (0-0 → "
            "200000-200000, 1001-1001 → 300000-300000): a (5), b (1000), d (70000). Nobody in it can become "
            "one of them.");
  EXPECT_THAT(unmapped_users_warning(passwd, map({{7, 200000, 1}})).value(),
              testing::AllOf(testing::HasSubstr("5 users"),
                             testing::HasSubstr("root (0), a (5), b (1000) and 2 more")));
}

TEST(UnmappedUsers, AHostileNameIsCutShort) {
  const std::string passwd = std::string(100000, 'n') + ":x:70000:0::/:\n";
  EXPECT_LT(unmapped_users_warning(passwd, map({{0, 1048576, 65536}}))->size(), 300U);
}

}  // namespace
}  // namespace berth::engine
