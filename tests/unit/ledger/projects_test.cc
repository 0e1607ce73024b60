#include "ledger/projects.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "idmap/map_algebra.h"
#include "ledger_fixture.h"

namespace berth::ledger {
namespace {

using testing::HasSubstr;

class Projects : public Ledger {
 protected:
  Result<Project> create(const NewProject& wanted) {
    store::Transaction transaction = TRY(store::Transaction::begin(db()));
    Project made = TRY(create_project(db(), wanted, host_));
    TRY(transaction.commit());
    return made;
  }
  Result<Project> create(const std::string& name, std::optional<uint32_t> number = std::nullopt) {
    return create({.name = name, .number = number, .policy = "restricted"});
  }
  Result<> remove(const std::string& name) {
    store::Transaction transaction = TRY(store::Transaction::begin(db()));
    TRY(remove_project(db(), name, host_));
    return transaction.commit();
  }
  void add_container(const std::string& name, const std::string& project) {
    execute(fmt::format(
        "INSERT INTO containers (id, name, image_id, image_name, created_at, spec, state, project) "
        "VALUES ('id-{0}', '{0}', 'i', 'n', 1, '{{}}', 'exited', '{1}')",
        name, project));
  }
  std::string refusal(const Result<Project>& made) {
    EXPECT_FALSE(made);
    return made ? "" : made.error().message;
  }
};

TEST(ProjectNumbers, RangesAreBlocksOfTenThousandFromOneThousandMillionOn) {
  EXPECT_EQ(assigned_range(0), (idmap::IdRange{1000000000, 1000010000}));
  EXPECT_EQ(assigned_range(4), (idmap::IdRange{1000040000, 1000050000}));
  EXPECT_EQ(range_text(4), "1000040000/10000");
  EXPECT_EQ(kProjectNumbers, 329496U);
  EXPECT_LE(assigned_range(kProjectNumbers - 1).end - 1, idmap::kLastId);
  EXPECT_GT(assigned_range(kProjectNumbers).end - 1, idmap::kLastId) << "no number is given away";
  EXPECT_EQ(kMostProjects, 14332U);
}

TEST(ProjectMap, MapsTheImagesIdsAndTheAssignedOnes) {
  const idmap::IdMap map = project_map(4, Bank(1032), Bank(1040)).value();
  EXPECT_EQ(map.text(), fmt::format("0 {} 65536\n1000040000 {} 10000\n", 1032 * 65536, 1040 * 65536));
  EXPECT_EQ(map.to_host(ContainerUid(0)), HostUid(1032 * 65536));
  EXPECT_EQ(map.to_host(ContainerUid(65534)), HostUid(1032 * 65536 + 65534)) << "nobody is somebody";
  EXPECT_EQ(map.to_host(ContainerGid(1000040000)), HostGid(1040 * 65536));
  EXPECT_EQ(map.to_host(ContainerUid(1000049999)), HostUid(1040 * 65536 + 9999));
  EXPECT_EQ(map.to_host(ContainerUid(1000050000)), std::nullopt);
  EXPECT_EQ(map.to_host(ContainerUid(1000039999)), std::nullopt);
  EXPECT_EQ(project_map(kProjectNumbers, Bank(8), Bank(9)).error().message,
            "329496 is no number of a project: they are 0 to 329495");
}

// Of any two projects: nothing shared inside beyond the image's IDs, nothing at all outside, and a host ID
// leads back to its project.
TEST(ProjectMap, ProjectsAreApartWhateverTheirNumbersAndBanks) {
  std::mt19937 random(1);
  const auto below = [&](uint32_t limit) { return static_cast<uint32_t>(random() % limit); };
  for (int round = 0; round < 2000; ++round) {
    std::set<uint16_t> banks;
    while (banks.size() < 4) banks.insert(static_cast<uint16_t>(8 + below(kPoolBanks)));
    std::vector<uint16_t> order(banks.begin(), banks.end());
    std::shuffle(order.begin(), order.end(), random);
    const uint32_t first = below(kProjectNumbers);
    const uint32_t second = (first + 1 + below(kProjectNumbers - 1)) % kProjectNumbers;
    const idmap::IdMap one = project_map(first, Bank(order[0]), Bank(order[1])).value();
    const idmap::IdMap other = project_map(second, Bank(order[2]), Bank(order[3])).value();
    for (const idmap::IdRange& left : idmap::outside_ranges(one)) {
      for (const idmap::IdRange& right : idmap::outside_ranges(other)) ASSERT_FALSE(left.overlaps(right));
    }
    ASSERT_FALSE(assigned_range(first).overlaps(assigned_range(second)));
    const auto id = static_cast<uint32_t>(assigned_range(first).begin) + below(kAssignedIds);
    const std::optional<HostUid> outside = one.to_host(ContainerUid(id));
    ASSERT_TRUE(outside);
    ASSERT_EQ(outside->value() >> 16U, order[1]) << "the number tells the bank, and so the project";
    ASSERT_EQ(one.to_container(*outside), ContainerUid(id));
    ASSERT_EQ(other.to_container(*outside), std::nullopt);
  }
}

TEST_F(Projects, EachHasTheLowestNumberAndTwoBanksOfItsOwn) {
  const Project shop = create("shop").value();
  const Project blog = create("blog").value();
  EXPECT_EQ(shop.number, 0U);
  EXPECT_EQ(blog.number, 1U);
  EXPECT_EQ(find_project(db(), "shop").value(), shop);
  EXPECT_EQ(banks_of_project(db(), "shop").value(), (std::vector{Bank(1032), Bank(1033)}));
  EXPECT_EQ(map_of_project(db(), blog).value(), project_map(1, Bank(1034), Bank(1035)).value());
  EXPECT_EQ(find_bank(db(), Bank(1034)).value().value().owner, (Owner{"project", "blog"}));
  const std::vector<Project> all = list_projects(db()).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "blog");
}

TEST_F(Projects, ANumberRestsForAnHourEvenWhereNoneIsFree) {
  create("a").value();
  create("b").value();
  ASSERT_TRUE(remove("a"));
  EXPECT_EQ(create("c")->number, 2U) << "0 rests";
  EXPECT_EQ(refusal(create("d", 0)),
            "the number 0 rests for another 60 minutes: the project a had it before");
  pass(kRestSeconds - 1);
  EXPECT_THAT(refusal(create("d", 0)), HasSubstr("another 1 minutes"));
  pass(2);
  EXPECT_EQ(create("e")->number, 0U) << "the lowest that has rested";
  ASSERT_TRUE(remove("e"));
  execute(
      fmt::format("INSERT OR REPLACE INTO settings VALUES ('next_project_number', '{}')", kProjectNumbers));
  EXPECT_EQ(refusal(create("f")),
            "no number of a project is free: all 329496 are held by projects or rest for an hour after one");
}

TEST_F(Projects, ANumberCanBeChosen) {
  EXPECT_EQ(create("a", 2)->number, 2U);
  EXPECT_EQ(create("b")->number, 0U);
  EXPECT_EQ(create("c")->number, 1U);
  EXPECT_EQ(create("d")->number, 3U) << "2 is taken";
  EXPECT_EQ(refusal(create("e", 2)), "the number 2 is the project a's");
  EXPECT_EQ(refusal(create("e", kProjectNumbers)), "329496 is no number of a project: they are 0 to 329495");
  EXPECT_EQ(create("e", kProjectNumbers - 1)->number, kProjectNumbers - 1);
}

TEST_F(Projects, MessagesOfWhatCanNotBe) {
  create("shop").value();
  EXPECT_EQ(refusal(create("shop")), "there is a project \"shop\" already");
  for (const char* name : {"", "Shop", "-shop", "shop-", "a b", "a:b", "a/b", "a\nb", "..",
                           "a234567890123456789012345678901234567890123456789012345678901234"}) {
    EXPECT_EQ(refusal(create(name)), fmt::format("\"{}\" can't be a project's name", name));
  }
  EXPECT_TRUE(create("a-1"));
  EXPECT_TRUE(create("7"));
  const Result<Project> misspelt = find_project(db(), "shpo");
  EXPECT_EQ(misspelt.error().code, Code::not_found);
  EXPECT_EQ(misspelt.error().message, "there is no project \"shpo\"");
  EXPECT_EQ(misspelt.error().hint, "Did you mean shop?");
  EXPECT_EQ(remove("nothing").error().code, Code::not_found);
}

TEST_F(Projects, AFullPoolSaysHowManyProjectsThereCanBe) {
  execute("DELETE FROM fresh_banks");
  execute("INSERT INTO fresh_banks VALUES (2000, 2002)");
  create("a").value();
  const Result<Project> second = create("b");
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_THAT(
      second.error().message,
      HasSubstr("a project needs 2 banks, so a host has 14332 projects at most: no bank of user IDs"));
  EXPECT_THAT(second.error().message, HasSubstr("by projects"));
  EXPECT_FALSE(second.error().hint.empty());
  EXPECT_EQ(list_projects(db()).value().size(), 1U);
  EXPECT_EQ(number("web"), 2002) << "what a project could not use is still there for others";
}

TEST_F(Projects, ItsBanksAreLimitedByThePolicy) {
  EXPECT_THAT(refusal(create({.name = "a", .policy = "p", .bank_quota = 1})),
              HasSubstr("project a has a quota of 1 banks and holds 1"));
  EXPECT_TRUE(create({.name = "a", .policy = "p", .bank_quota = 2}));
}

TEST_F(Projects, AQuotaCountsContainersThatDoNotRunToo) {
  const Project shop = create({.name = "shop", .policy = "restricted", .quota = 2}).value();
  add_container("web", "shop");
  EXPECT_TRUE(check_quota(db(), shop));
  add_container("db", "shop");
  add_container("other", "blog");
  EXPECT_EQ(check_quota(db(), shop).error().message,
            "project shop has a quota of 2 containers and has 2: db, web");
  EXPECT_EQ(check_quota(db(), shop).error().code, Code::conflict);
  EXPECT_EQ(check_quota(db(), {.name = "none", .quota = 0}).error().message,
            "project none has a quota of 0 containers and has 0");
}

TEST_F(Projects, OneWithContainersStays) {
  create("shop").value();
  add_container("web", "shop");
  EXPECT_EQ(remove("shop").error().message, "project shop has 1 container: web");
  for (int i = 0; i < 11; ++i) add_container(fmt::format("c{:02}", i), "shop");
  EXPECT_EQ(remove("shop").error().message,
            "project shop has 12 containers: c00, c01, c02, c03, c04, c05, c06, c07, c08, c09 and 2 more");
  execute("DELETE FROM containers");
  ASSERT_TRUE(remove("shop"));
  EXPECT_EQ(find_bank(db(), Bank(1032)).value().value().last_owner, (Owner{"project", "shop"}))
      << "a host ID in a log still tells the project";
}

TEST_F(Projects, AreRestoredOnce) {
  const Project shop{.name = "shop", .number = 7, .created_at = 5, .policy = "web", .quota = 3};
  EXPECT_TRUE(restore_project(db(), shop).value());
  EXPECT_EQ(find_project(db(), "shop").value(), shop);
  EXPECT_FALSE(restore_project(db(), shop).value());
  EXPECT_FALSE(restore_project(db(), {.name = "other", .number = 7}).value());
  EXPECT_FALSE(restore_project(db(), {.name = "other", .number = kProjectNumbers}).value());
  EXPECT_FALSE(restore_project(db(), {.name = "a b", .number = 8})) << "a copy that somebody damaged";
}

TEST_F(Projects, RestingNumbersAreRestoredToo) {
  const RestingNumber gone{.number = 3, .freed_at = now - 5, .project = "gone"};
  ASSERT_TRUE(restore_resting_number(db(), gone, host_));
  ASSERT_TRUE(restore_resting_number(db(), {4, now + 9 * kRestSeconds * kNanoseconds, "later"}, host_));
  ASSERT_TRUE(restore_project(db(), {.name = "shop", .number = 5}));
  ASSERT_TRUE(restore_resting_number(db(), {5, now, "before"}, host_));
  EXPECT_THAT(resting_numbers(db(), host_).value(),
              testing::ElementsAre(gone, RestingNumber{4, now, "later"}))
      << "no time from the future, and no number that a project has";
  EXPECT_FALSE(restore_resting_number(db(), {6, now, "a b"}, host_)) << "a copy that somebody damaged";
  pass(kRestSeconds + 1);
  EXPECT_TRUE(resting_numbers(db(), host_).value().empty());
}

// Whatever is made and removed in whatever order: no number twice, none that rests, the lowest that is free,
// and no bank that two projects have.
TEST_F(Projects, StayApartInAnyOrder) {
  std::mt19937 random(3);
  std::map<std::string, Project> held;
  std::map<uint32_t, int64_t> freed;
  for (int step = 0; step < 400; ++step) {
    pass(static_cast<int64_t>(random() % 400));
    if (!held.empty() && random() % 5 < 2) {
      const auto victim = std::next(held.begin(), static_cast<int64_t>(random() % held.size()));
      freed[victim->second.number] = now;
      ASSERT_TRUE(remove(victim->first));
      held.erase(victim);
      continue;
    }
    const auto taken = [&](uint32_t number) {
      const bool is_held = std::any_of(held.begin(), held.end(),
                                       [&](const auto& entry) { return entry.second.number == number; });
      const auto resting = freed.find(number);
      return is_held || (resting != freed.end() && resting->second > now - kRestSeconds * kNanoseconds);
    };
    uint32_t expected = 0;
    while (taken(expected)) ++expected;
    std::optional<uint32_t> chosen;
    if (random() % 6 == 0) chosen = static_cast<uint32_t>(random() % 60);
    const std::string name = fmt::format("p{}", step);
    const Result<Project> made = create(name, chosen);
    if (chosen) {
      ASSERT_EQ(made.has_value(), !taken(*chosen)) << *chosen;
    } else {
      ASSERT_TRUE(made);
      ASSERT_EQ(made->number, expected);
    }
    if (made) held[name] = *made;
  }
  std::set<Bank> banks;
  for (const auto& [name, project] : held) {
    const std::vector<Bank> own = banks_of_project(db(), name).value();
    for (const Bank bank : own) ASSERT_TRUE(banks.insert(bank).second);
  }
}

}  // namespace
}  // namespace berth::ledger
