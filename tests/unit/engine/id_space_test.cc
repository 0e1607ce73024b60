#include "engine/audit/id_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::engine {
namespace {

using testing::ElementsAre;

// "KIND FIRST-LAST", with "!" where IDs are shared and "*N" where a part stands for N.
std::vector<std::string> told(const std::vector<Part>& parts) {
  std::vector<std::string> list;
  for (const Part& part : parts) {
    list.push_back(fmt::format("{} {}{}{}", word_for(part.kind), text_of(part.ids), part.shared() ? "!" : "",
                               part.stands_for > 1 ? fmt::format("*{}", part.stands_for) : ""));
  }
  return list;
}

IdLine user(std::string name, uint64_t id) {
  return {IdFile::passwd, 1, std::move(name), {id, id + 1}};
}

BankFacts held(uint16_t number, std::string by = "web") {
  return {.bank = Bank(number), .owner = ledger::Owner{"container", "id"}, .owner_name = std::move(by)};
}

BankFacts resting(uint16_t number) {
  return {.bank = Bank(number)};
}

constexpr const char* kPool = "free 524288-1879048191";
constexpr const char* kAbove = "free 1879048192-4294967294";

bool nothing_kept(const Part&) {
  return false;
}

TEST(IdSpace, AnEmptyHostIsFree) {
  EXPECT_THAT(told(parts_of({})), ElementsAre("free 0-524287", kPool, kAbove));
}

TEST(IdSpace, AccountsThatAreNearAreOnePart) {
  const IdFacts facts{.lines = {user("root", 0), user("daemon", 1), user("late", 999), user("ann", 1000),
                                user("ben", 1900), user("nobody", 65534)}};
  EXPECT_THAT(told(parts_of(facts)), ElementsAre("accounts 0-999", "accounts 1000-1900", "free 1901-65533",
                                                 "accounts 65534", "free 65535-524287", kPool, kAbove));
}

TEST(IdSpace, AUserAndItsGroupAreOneName) {
  const IdFacts facts{
      .lines = {user("ann", 5), {IdFile::group, 1, "staff", {5, 6}}, {IdFile::group, 2, "crew", {7, 8}}}};
  const std::vector<Part> parts = parts_of(facts);
  ASSERT_EQ(parts[1].names.size(), 2U);
  EXPECT_EQ(parts[1].names[0].user + "/" + parts[1].names[0].group, "ann/staff");
  EXPECT_EQ(parts[1].names[1].user + "/" + parts[1].names[1].group, "/crew");
}

TEST(IdSpace, BanksHeldAndResting) {
  const IdFacts facts{.banks = {held(8), resting(9)}};
  EXPECT_THAT(told(parts_of(facts)), ElementsAre("free 0-524287", "bank 524288-589823",
                                                 "resting 589824-655359", "free 655360-1879048191", kAbove));
}

TEST(IdSpace, ANameInABankIsMarkedAndDoesNotCutIt) {
  const IdFacts facts{.lines = {user("ann", 524300)}, .banks = {held(8)}};
  EXPECT_THAT(told(parts_of(facts)),
              ElementsAre("free 0-524287", "bank 524288-589823!", "free 589824-1879048191", kAbove));
  EXPECT_THAT(told(parts_of({.lines = facts.lines, .banks = {resting(8)}}))[1], "resting 524288-589823");
}

TEST(IdSpace, ClaimsThatOverlapAreMarkedWhereTheyDo) {
  const IdFacts facts{.lines = {{IdFile::subuid, 3, "ann", {589000, 600000}}}, .banks = {held(8)}};
  EXPECT_THAT(told(parts_of(facts)),
              ElementsAre("free 0-524287", "bank 524288-588999", "bank 589000-589823!",
                          "subordinate 589824-599999", "free 600000-1879048191", kAbove));
}

TEST(IdSpace, ANamespaceInASubordinateRangeIsWhereItBelongs) {
  IdFacts facts{
      .lines = {{IdFile::subuid, 1, "ann", {100000, 165536}}, {IdFile::subgid, 1, "ann", {100000, 165536}}}};
  facts.running.namespaces.push_back({.pid = 7, .command = "sh", .users = {{100000, 165536}}});
  const std::vector<Part> parts = parts_of(facts);
  EXPECT_EQ(told(parts)[1], "subordinate 100000-165535");
  ASSERT_EQ(parts[1].claims.size(), 2U);
  EXPECT_EQ(parts[1].claims[0].where, "/etc/subuid:1, /etc/subgid:1");
  facts.lines.push_back(user("eve", 100001));
  EXPECT_EQ(told(parts_of(facts))[1], "subordinate 100000-165535!");
}

TEST(IdSpace, NamespacesOfOursAreNoClaims) {
  IdFacts facts;
  facts.running.namespaces.push_back({.pid = 7, .ours = true, .users = {{700000, 700010}}});
  EXPECT_THAT(told(parts_of(facts)), ElementsAre("free 0-524287", kPool, kAbove));
}

TEST(IdSpace, LongRunsOfBanksArePutTogether) {
  const IdFacts facts{.banks = {held(8), resting(9), held(12, "db"), held(13), held(60)}};
  EXPECT_THAT(told(put_together(parts_of(facts), 3, nothing_kept)),
              ElementsAre("free 0-524287", "bank 524288-917503*5", "free 917504-3932159",
                          "bank 3932160-3997695", "free 3997696-1879048191", kAbove));
  EXPECT_THAT(
      told(put_together(parts_of(facts), 3, [](const Part& part) { return part.ids.begin == 786432; })),
      ElementsAre("free 0-524287", "bank 524288-589823", "resting 589824-655359", "free 655360-786431",
                  "bank 786432-851967", "bank 851968-917503", "free 917504-3932159", "bank 3932160-3997695",
                  "free 3997696-1879048191", kAbove));
}

TEST(IdSpace, WhatIsSharedIsNeverPutAway) {
  const IdFacts facts{.lines = {user("ann", 655361)},
                      .banks = {held(8), held(9), held(10), held(11), held(12)}};
  const auto list = told(put_together(parts_of(facts), 1, nothing_kept));
  EXPECT_THAT(list, ElementsAre("free 0-524287", "bank 524288-655359*2", "bank 655360-720895!",
                                "bank 720896-851967*2", "free 851968-1879048191", kAbove));
}

TEST(IdSpace, AFullPoolIsDrawnAtOnce) {
  IdFacts facts;
  for (uint32_t bank = 8; bank <= 0x6FFF; ++bank) facts.banks.push_back(held(static_cast<uint16_t>(bank)));
  EXPECT_THAT(told(put_together(parts_of(facts), 4, nothing_kept)),
              ElementsAre("free 0-524287", "bank 524288-1879048191*28664", kAbove));
}

}  // namespace
}  // namespace berth::engine
