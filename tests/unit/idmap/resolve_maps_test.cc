#include "idmap/resolve_maps.h"

#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "idmap/map_algebra.h"

namespace berth::idmap {
namespace {

using testing::HasSubstr;

using Values = std::vector<std::string>;

// The container's own bank has the host IDs from 1048576 on.
IdMap own_bank() {
  return IdMap::from_extents({{0, 1048576, 65536}}).value();
}

Result<ResolvedMaps> resolved(const Values& uidmap, const Values& gidmap = {},
                              const IdMap& own = own_bank()) {
  return resolve_maps(TRY(parse_map_requests(uidmap, gidmap)), own);
}
std::string users(const Values& values, const IdMap& own = own_bank()) {
  const auto maps = resolved(values, {}, own);
  return maps ? maps->users.text() : maps.error().message;
}

TEST(ResolveMaps, WithoutARequestTheMapIsTheBank) {
  const ResolvedMaps maps = resolved({}).value();
  EXPECT_EQ(maps.users, own_bank());
  EXPECT_EQ(maps.groups, own_bank());
  EXPECT_TRUE(maps.foreign_users.empty() && maps.foreign_groups.empty());
}

TEST(ResolveMaps, LeftOutFieldsMeanTheOwnBank) {
  EXPECT_EQ(users({"::3000"}), "0 1048576 3000\n");
  EXPECT_EQ(users({"0:200000"}), "0 200000 65536\n");
  EXPECT_EQ(users({":200000"}), "0 200000 65536\n");
  EXPECT_EQ(users({"::"}), "0 1048576 65536\n");
  EXPECT_EQ(users({"1000::10"}), "1000 1049576 10\n") << "an own ID is where it would be anyway";
  EXPECT_EQ(users({"65000::"}), "65000 1113576 536\n") << "without a size: to the end";
}

TEST(ResolveMaps, SeveralBanksAreOneOwnRange) {
  const std::vector<Bank> banks{Bank(20), Bank(9)};
  const IdMap own = IdMap::from_banks(banks).value();
  EXPECT_EQ(users({"65530::10"}, own),
            fmt::format("65530 {} 6\n65536 {} 4\n", 20 * 65536 + 65530, 9 * 65536));
  EXPECT_EQ(users({"::"}, own), own.text());
}

TEST(ResolveMaps, MapsCanBeSparse) {
  EXPECT_EQ(users({"0:100000:10", "1000:200000:10", "::"}),
            "--uidmap 0:100000:10 and --uidmap :: overlap: both map the container's IDs 0-9");
  EXPECT_EQ(users({"1000:200000:10", "0:100000:10"}), "0 100000 10\n1000 200000 10\n");
}

TEST(ResolveMaps, APlusAddsToTheOwnBank) {
  EXPECT_EQ(users({"+1000:1000:1"}), "0 1048576 1000\n1000 1000 1\n1001 1049577 64535\n");
  EXPECT_EQ(users({"+100000:@2000"}), "0 1048576 65536\n100000 2000 1\n");
  const ResolvedMaps groups = resolved({}, {"+g100000:@2000"}).value();
  EXPECT_EQ(groups.users, own_bank());
  EXPECT_EQ(groups.groups.text(), "0 1048576 65536\n100000 2000 1\n");
}

TEST(ResolveMaps, APlusTakesFromWhatCameBefore) {
  // podman-run(1)'s own example: 1 goes to 100000, and 1 inside is left without a host ID.
  EXPECT_EQ(users({"0:0:65000", "+100000:1:1"}), "0 0 1\n2 2 64998\n100000 1 1\n");
  EXPECT_EQ(users({"0:0:65000", "+100000:1:1", "1:65001:1"}), "0 0 1\n1 65001 1\n2 2 64998\n100000 1 1\n");
  EXPECT_EQ(users({"0:1000:10", "+0:1000:10"}), "0 1000 10\n");
  EXPECT_EQ(users({"0:1000:10", "+0:5000:20"}), "0 5000 20\n") << "nothing is left of the first";
}

TEST(ResolveMaps, NeighboursAreOneExtent) {
  EXPECT_EQ(users({"0:1000:10", "10:1010:10"}), "0 1000 20\n");
}

TEST(ResolveMaps, ForeignRangesAreTold) {
  const ResolvedMaps maps =
      resolved({"0:200000:50", "u70000:1114100:20", "80000:1048576:5", "60000::10"}).value();
  const ForeignRange whole{{200000, 200050}, "--uidmap 0:200000:50", false};
  EXPECT_EQ(maps.foreign_users,
            (std::vector<ForeignRange>{whole, {{1114112, 1114120}, "--uidmap u70000:1114100:20", false}}))
      << "of the second, only what lies behind the own bank; the third is in it";
  EXPECT_EQ(maps.foreign_groups, std::vector<ForeignRange>{whole});
  EXPECT_EQ(resolved({"0:200000"}).value().foreign_users,
            (std::vector<ForeignRange>{{{200000, 265536}, "--uidmap 0:200000", true}}));
}

TEST(ResolveMaps, WhereNoOwnIdsAreNeededAllAreForeign) {
  EXPECT_EQ(resolved({"0:1048576:5"}).value().foreign_users,
            (std::vector<ForeignRange>{{{1048576, 1048581}, "--uidmap 0:1048576:5", false}}));
}

TEST(ResolveMaps, WhatIsCutOffIsNotForeignAnyMore) {
  const ResolvedMaps maps = resolved({"0:1000:3", "+1:1048576:1", "+5::1"}).value();
  EXPECT_EQ(maps.users.text(), "0 1000 1\n1 1048576 1\n2 1002 1\n5 1048581 1\n");
  EXPECT_EQ(maps.foreign_users, (std::vector<ForeignRange>{{{1000, 1001}, "--uidmap 0:1000:3", false},
                                                           {{1002, 1003}, "--uidmap 0:1000:3", false}}));
}

TEST(ResolveMaps, TellsWhetherOwnIdsAreNeeded) {
  const auto needs = [](const Values& uidmap, const Values& gidmap) {
    return needs_own_ids(parse_map_requests(uidmap, gidmap).value());
  };
  EXPECT_TRUE(needs({}, {}));
  EXPECT_FALSE(needs({"0:1000:10"}, {}));
  EXPECT_TRUE(needs({"u0:1000:10"}, {})) << "the groups are the bank's";
  EXPECT_TRUE(needs({"+0:1000:10"}, {}));
  EXPECT_FALSE(needs({"0:1000:10", "+1:2000:1"}, {}));
  EXPECT_TRUE(needs({"0:1000:10"}, {"::10"}));
}

struct Bad {
  Values values;
  const char* message;
};

TEST(ResolveMaps, EveryRefusalHasItsMessage) {
  const std::vector<Bad> table{
      {{"0:1000:10", "9:2000:10"},
       "--uidmap 0:1000:10 and --uidmap 9:2000:10 overlap: both map the container's ID 9"},
      {{"0:1000:10", "5:2000:10"},
       "--uidmap 0:1000:10 and --uidmap 5:2000:10 overlap: both map the container's IDs 5-9"},
      {{"0:1000:10", "100:1005:10"},
       "--uidmap 0:1000:10 and --uidmap 100:1005:10 overlap: both map the host's IDs 1005-1009"},
      {{"+100:1000:10", "0:2000:10"},
       "--uidmap 0:2000:10 overlaps the container's own range: both map the container's IDs 0-9"},
      {{"+100:1000:10", "70000:1048576:1"},
       "--uidmap 70000:1048576:1 overlaps the container's own range: both map the host's ID 1048576"},
      {{"65530::10"},
       "--uidmap 65530::10: 65530-65539 is not within the container's own IDs, which are 0-65535"},
      {{"70000::"}, "--uidmap 70000::: 70000 is not within the container's own IDs, which are 0-65535"},
      {{"::65537"}, "--uidmap ::65537: 0-65536 is not within the container's own IDs, which are 0-65535"},
  };
  for (const Bad& bad : table) {
    const auto maps = resolved(bad.values);
    ASSERT_FALSE(maps) << bad.values.back();
    EXPECT_EQ(maps.error().message, bad.message);
    EXPECT_EQ(maps.error().code, Code::usage);
    EXPECT_FALSE(maps.error().hint.empty());
  }
}

TEST(ResolveMaps, TheKernelsLimitIsSaid) {
  Values values;
  for (int i = 0; i < 341; ++i) values.push_back(fmt::format("{}:{}:1", i * 2, 10000 + i * 2));
  EXPECT_EQ(users(values), "the users' map: the ID map has 341 extents, and the kernel takes at most 340");
  values.pop_back();
  EXPECT_EQ(resolved(values)->users.extents().size(), 340U);
  // What joins into fewer extents is as good as fewer.
  Values neighbours;
  for (int i = 0; i < 400; ++i) neighbours.push_back(fmt::format("{}:{}:1", i, 10000 + i));
  EXPECT_EQ(users(neighbours), "0 10000 400\n");
  EXPECT_THAT(resolved({"0:1000:1"}, values).value().groups.text(), HasSubstr("0 10000 1\n"));
}

// Against a model that has each ID by itself.
TEST(ResolveMaps, AgreesWithEachId) {
  struct Model {
    std::map<uint64_t, uint64_t> ids;
    bool overlap = false;
    void apply(const MapRequest& request, const IdMap& own) {
      const uint64_t size = request.count.value_or(request.outside || request.adds ? map_request_size(request)
                                                                                   : 40 - request.inside);
      std::map<uint64_t, uint64_t> added;
      for (uint64_t i = 0; i < size; ++i) {
        const auto id = static_cast<uint32_t>(request.inside + i);
        const uint64_t host =
            request.outside ? *request.outside + i : own.to_host(ContainerUid(id)).value().value();
        added.emplace(id, host);
      }
      for (const auto& [inside, outside] : added) {
        for (auto it = ids.begin(); it != ids.end();) {
          const bool meets = it->first == inside || it->second == outside;
          overlap = overlap || (meets && !request.adds);
          it = meets ? ids.erase(it) : std::next(it);
        }
      }
      ids.merge(added);
    }
  };
  const IdMap own = IdMap::from_extents({{0, 100, 20}, {20, 50, 20}}).value();
  std::mt19937 random(9);
  const auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  int accepted = 0;
  for (int round = 0; round < 5000; ++round) {
    MapRequests requests;
    Model model;
    requests.users.resize(1 + below(4));
    for (MapRequest& request : requests.users) {
      request = {.text = "x", .inside = below(40), .count = 1 + below(8), .adds = below(3) != 0};
      if (below(3) != 0) request.outside = 40 + below(90);
      if (!request.outside && request.inside + *request.count > 40) request.count.reset();
      if (&request == &requests.users.front() && request.adds) {
        for (uint32_t i = 0; i < 40; ++i) model.ids.emplace(i, own.to_host(ContainerUid(i)).value().value());
      }
      model.apply(request, own);
    }
    const auto maps = resolve_maps(requests, own);
    ASSERT_EQ(maps.has_value(), !model.overlap) << (maps ? "" : maps.error().message);
    if (!maps) continue;
    ++accepted;
    ASSERT_EQ(count(maps->users), model.ids.size());
    for (const auto& [inside, outside] : model.ids) {
      ASSERT_EQ(maps->users.to_host(ContainerUid(static_cast<uint32_t>(inside))),
                HostUid(static_cast<uint32_t>(outside)));
    }
    std::vector<IdRange> foreign;
    for (const ForeignRange& range : maps->foreign_users) foreign.push_back(range.host);
    std::vector<IdRange> expected;
    for (const auto& [inside, outside] : model.ids) {
      const bool is_own = (outside >= 100 && outside < 120) || (outside >= 50 && outside < 70);
      if (!is_own) expected.push_back({outside, outside + 1});
    }
    ASSERT_EQ(normalized(foreign), normalized(expected));
    ASSERT_EQ(maps->groups, own);
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace berth::idmap
