#include "ledger/named_banks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/bank_uses.h"
#include "ledger/host_ranges.h"
#include "ledger_fixture.h"

namespace berth::ledger {
namespace {

using testing::ElementsAre;

class NamedBanks : public Ledger {
 protected:
  void add_container(const std::string& id, const std::string& name) {
    execute("INSERT INTO containers (id, name, image_id, image_name, created_at, spec, state) VALUES ('" +
            id + "', '" + name + "', 'i', 'n', 1, '{}', 'exited')");
  }
  // The message and, in brackets, the hint.
  template <typename T>
  static std::string failure(const Result<T>& result) {
    if (result) return "it succeeded";
    return result.error().message + " [" + result.error().hint + "]";
  }
};

TEST_F(NamedBanks, ANameIsGivenOnceAndSharedFromThenOn) {
  EXPECT_THAT(create_named_banks(db(), "web", 2, host_).value(), ElementsAre(Bank(1032), Bank(1033)));
  EXPECT_THAT(claim_banks(db(), "web", host_).value(), ElementsAre(Bank(1032), Bank(1033)));
  EXPECT_THAT(claim_banks(db(), "web", host_).value(), ElementsAre(Bank(1032), Bank(1033)));
  EXPECT_THAT(bank_names(db()).value(), ElementsAre("web"));
}

TEST_F(NamedBanks, NumbersCountFromThePoolsFirstBankAndComeWhenTheyAreAskedFor) {
  EXPECT_THAT(claim_banks(db(), "0", host_).value(), ElementsAre(Bank(8)));
  EXPECT_EQ(Bank(8).base(), 524288U);
  EXPECT_THAT(claim_banks(db(), "1-3", host_).value(), ElementsAre(Bank(9), Bank(10), Bank(11)));
  EXPECT_THAT(claim_banks(db(), "3", host_).value(), ElementsAre(Bank(11))) << "shared";
  EXPECT_THAT(claim_banks(db(), "28663", host_).value(), ElementsAre(Bank(0x6FFF)));
  EXPECT_THAT(bank_names(db()).value(), ElementsAre("0", "1", "2", "3", "28663"));
  EXPECT_EQ(number("a"), 1032) << "containers leave them alone";
}

TEST_F(NamedBanks, ANumberThatWasFreedComesBackToItselfAtOnceAndToOthersAfterAnHour) {
  ASSERT_TRUE(claim_banks(db(), "3", host_));
  ASSERT_TRUE(remove_named_banks(db(), "3", host_));
  pass(60);
  ASSERT_TRUE(claim_banks(db(), "3", host_));
  ASSERT_TRUE(remove_named_banks(db(), "3", host_));
  pass(60);
  EXPECT_EQ(failure(create_named_at(db(), "web", "3", host_)),
            "bank 3 rests for another 59 minutes: the number 3 had it before [Processes and files of its "
            "last owner "
            "may still be found meanwhile; choose another number.]");
  pass(kRestSeconds);
  EXPECT_THAT(create_named_at(db(), "web", "3", host_).value(), ElementsAre(Bank(11)));
}

TEST_F(NamedBanks, WhatIsInUseStays) {
  ASSERT_TRUE(create_named_banks(db(), "web", 2, host_));
  add_container("a1", "shop");
  add_container("b2", "mail");
  ASSERT_TRUE(record_use(db(), "a1", Bank(1032)));
  ASSERT_TRUE(record_use(db(), "a1", Bank(1032)));
  ASSERT_TRUE(record_use(db(), "b2", Bank(1033)));
  EXPECT_THAT(users_of(db(), Bank(1032)).value(), ElementsAre(User{"a1", "shop"}));
  EXPECT_THAT(banks_used_by(db(), "b2").value(), ElementsAre(Bank(1033)));
  EXPECT_EQ(failure(remove_named_banks(db(), "web", host_)),
            "bank web is used by containers shop, mail [A container keeps its banks until it is removed: "
            "`berth rm` "
            "first.]");
  ASSERT_TRUE(forget_uses(db(), "a1"));
  EXPECT_EQ(failure(remove_named_banks(db(), "web", host_)),
            "bank web is used by container mail [A container keeps its banks until it is removed: `berth rm` "
            "first.]");
  ASSERT_TRUE(forget_uses(db(), "b2"));
  EXPECT_TRUE(remove_named_banks(db(), "web", host_));
  EXPECT_EQ(held_banks(db()).value().size(), 0U);
}

TEST_F(NamedBanks, EveryMessage) {
  ASSERT_TRUE(create_named_banks(db(), "web", 1, host_));
  ASSERT_TRUE(create_named_at(db(), "five", "5", host_));
  add_container("abc", "job");
  execute("UPDATE fresh_banks SET first = 16 WHERE first = 14");
  execute(
      "INSERT INTO banks (number, owner_kind, owner, since) VALUES (14, 'container', 'abc', 1), (15, "
      "'project', 'shop', 1)");
  write_etc("passwd", "ann:x:589824:100::/:/bin/sh\n");
  const std::string form =
      " [A number is 3 or a range 1-3, counted from the pool's first bank, which is 0. A name begins with a "
      "letter "
      "and goes on with letters, digits, _, . and -, 128 at most.]";
  const std::string other = " [Choose another number: `berth bank ls` shows which are held.]";
  const struct {
    std::string what;
    std::string message;
  } claims[] = {
      {"", "\"\" is neither a bank's number nor its name" + form},
      {"-web", "\"-web\" is neither a bank's number nor its name" + form},
      {"a/b", "\"a/b\" is neither a bank's number nor its name" + form},
      {"3web", "\"3web\" is neither a bank's number nor its name" + form},
      {"3-", "\"3-\" is neither a bank's number nor its name" + form},
      {std::string(129, 'a'),
       "\"" + std::string(129, 'a') + "\" is neither a bank's number nor its name" + form},
      {"28664", "bank 28664: the numbers of banks are 0 to 28663 []"},
      {"99999999999999999999999", "bank 99999999999999999999999: the numbers of banks are 0 to 28663 []"},
      {"3-1", "bank 3-1: the range ends before it begins []"},
      {"0-340", "bank 0-340: 341 banks are more than the 340 that a container's map can have []"},
      {"wep", "there is no bank \"wep\" [Did you mean web? `berth bank create wep` makes a new one.]"},
      {"database", "there is no bank \"database\" [`berth bank create database` makes it.]"},
      {"5", "bank 5 is held by the name five [`--bank five` shares it.]"},
      {"6", "bank 6 is held by container job" + other},
      {"7", "bank 7 is held by project shop" + other},
      {"1",
       "bank 1 (host IDs 589824-655359) is in use: the host's user ann has the ID 589824 [Choose another "
       "number: "
       "`berth bank ls` shows which banks are held.]"},
  };
  for (const auto& [what, message] : claims) EXPECT_EQ(failure(claim_banks(db(), what, host_)), message);
  EXPECT_EQ(failure(create_named_banks(db(), "web", 1, host_)),
            "there is a bank \"web\" already [`--bank web` shares it; `berth bank inspect web` tells more.]");
  EXPECT_EQ(failure(create_named_banks(db(), "7", 1, host_)),
            "\"7\" can't be a bank's name: it is a number, and banks have numbers already []");
  EXPECT_EQ(failure(create_named_banks(db(), "new", 341, host_)),
            "341 banks for one name: it is 1 to 340, what a container's map can have []");
  EXPECT_EQ(failure(create_named_banks(db(), "new", 0, host_)),
            "0 banks for one name: it is 1 to 340, what a container's map can have []");
  EXPECT_EQ(failure(create_named_at(db(), "new", "web", host_)), "\"web\" is no number of a bank []");
  EXPECT_EQ(failure(remove_named_banks(db(), "wep", host_)),
            "there is no bank \"wep\" [Did you mean web? `berth bank create wep` makes a new one.]");
  EXPECT_EQ(failure(remove_named_banks(db(), "9", host_)), "nobody has asked for bank 9 yet []");
}

class HostRanges : public NamedBanks {};

TEST_F(HostRanges, EveryHolderIsNamed) {
  ASSERT_TRUE(create_named_banks(db(), "web", 1, host_));
  add_container("abc", "job");
  ASSERT_TRUE(record_range(db(), "abc", {300000, 300010}));
  write_etc("passwd", "ann:x:1000:1000::/:/bin/sh\n");
  write_etc("group", "lab:x:2000:\n");
  write_etc("subuid", "ann:100000:65536\nberth:400000:10\n");
  write_etc("subgid", "bob:200000:10\n");
  const std::string hint =
      " [Leave the host's side out to get IDs from the container's own bank, or say with --allow-shared-ids "
      "that "
      "they are to be shared.]";
  const struct {
    idmap::IdRange range;
    std::string message;
  } cases[] = {
      {{0, 1}, "the host IDs 0 are not free: the host's root has the ID 0"},
      {{999, 1002}, "the host IDs 999-1001 are not free: the host's user ann has the ID 1000"},
      {{2000, 2001}, "the host IDs 2000 are not free: the host's group lab has the ID 2000"},
      {{165535, 165540},
       "the host IDs 165535-165539 are not free: /etc/subuid gives the IDs 100000-165535 to ann"},
      {{200009, 200010}, "the host IDs 200009 are not free: /etc/subgid gives the IDs 200000-200009 to bob"},
      {{67698687, 67698688},
       "the host IDs 67698687 are not free: the name web holds bank 1024, the IDs 67633152-67698687"},
      {{300009, 300020}, "the host IDs 300009-300019 are not free: container job maps the IDs 300000-300009"},
  };
  for (const auto& [range, message] : cases)
    EXPECT_EQ(failure(check_range_free(db(), IdKind::both, range, host_)), message + hint);
  for (const idmap::IdRange free :
       {idmap::IdRange{400000, 400010}, {1001, 2000}, {300010, 300020}, {5000, 5000}})
    EXPECT_EQ(failure(check_range_free(db(), IdKind::both, free, host_)), "it succeeded");
}

TEST_F(HostRanges, AGroupTakesNoUserIdAndAUserNoGroupId) {
  write_etc("passwd", "ann:x:1000:3000::/:/bin/sh\n");
  write_etc("group", "lab:x:2000:\n");
  write_etc("subuid", "ann:100000:65536\n");
  write_etc("subgid", "bob:200000:10\n");
  const struct {
    idmap::IdRange range;
    IdKind taken;
    IdKind free;
    std::string holder;
  } cases[] = {
      {{1000, 1001}, IdKind::users, IdKind::groups, "the host's user ann has the ID 1000"},
      {{3000, 3001}, IdKind::groups, IdKind::users, "the host's user ann has the group ID 3000"},
      {{2000, 2001}, IdKind::groups, IdKind::users, "the host's group lab has the ID 2000"},
      {{100000, 100001}, IdKind::users, IdKind::groups, "/etc/subuid gives the IDs 100000-165535 to ann"},
      {{200000, 200001}, IdKind::groups, IdKind::users, "/etc/subgid gives the IDs 200000-200009 to bob"},
  };
  for (const auto& [range, taken, free, holder] : cases) {
    EXPECT_EQ(find_holder(db(), taken, range, host_).value(), holder);
    EXPECT_EQ(find_holder(db(), IdKind::both, range, host_).value().has_value(), true) << holder;
    EXPECT_EQ(find_holder(db(), free, range, host_).value(), std::nullopt);
  }
}

TEST_F(HostRanges, WhatAContainerMapsIsTakenAsTheKindThatItIsMappedAs) {
  add_container("abc", "job");
  ASSERT_TRUE(record_range(db(), "abc", {300000, 300010}));
  EXPECT_TRUE(find_holder(db(), IdKind::groups, {300000, 300001}, host_).value())
      << "its maps are not known yet";
  execute("UPDATE containers SET uid_map = '0 300000 10\n', gid_map = '0 67633152 65536\n'");
  EXPECT_EQ(find_holder(db(), IdKind::users, {300009, 300020}, host_).value(),
            "container job maps the IDs 300000-300009");
  EXPECT_EQ(find_holder(db(), IdKind::groups, {300009, 300020}, host_).value(), std::nullopt);
  EXPECT_TRUE(find_holder(db(), IdKind::both, {300009, 300020}, host_).value());
}

TEST_F(HostRanges, TheNameServiceIsAskedForAFewOfTheIds) {
  static int asked = 0;
  asked = 0;
  host_.knows_group = [](uint32_t id) { return ++asked > 0 && id == 400099; };
  EXPECT_TRUE(check_range_free(db(), IdKind::both, {400000, 400100}, host_));
  write_etc("nsswitch.conf", "passwd: files sss\n");
  EXPECT_EQ(asked, 0);
  const Result<> checked = check_range_free(db(), IdKind::both, {400000, 400100}, host_);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message,
              testing::HasSubstr("the host's name service has a group with the ID 400099"));
  EXPECT_TRUE(check_range_free(db(), IdKind::users, {400000, 400100}, host_)) << "no user has it";
  EXPECT_TRUE(check_range_free(db(), IdKind::both, {400100, 4000000}, host_));
  EXPECT_LT(asked, 300);
}

TEST_F(HostRanges, ARangeIsPassedOverUntilItIsForgotten) {
  ASSERT_TRUE(record_range(db(), "abc", {67633160, 67633161}));
  EXPECT_EQ(number("a"), 1033);
  EXPECT_THAT(ranges_of(db(), "abc").value(), ElementsAre(idmap::IdRange{67633160, 67633161}));
  ASSERT_TRUE(forget_uses(db(), "abc"));
  EXPECT_EQ(number("b"), 1032);
}

}  // namespace
}  // namespace berth::ledger
