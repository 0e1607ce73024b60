#include "engine/audit/audit_ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

bool unnamed(uint32_t) {
  return false;
}

// "SEVERITY KIND: WHAT" of each finding.
std::vector<std::string> found(const IdFacts& facts, bool (*named)(uint32_t id) = unnamed) {
  std::vector<std::string> list;
  for (const Finding& finding : audit_ids(facts, named)) {
    list.push_back(
        fmt::format("{} {}: {}", word_for(finding.severity), word_for(finding.kind), finding.what));
    EXPECT_FALSE(finding.evidence.empty());
    EXPECT_FALSE(finding.remedy.empty());
  }
  return list;
}

IdLine user(uint64_t id) {
  return {IdFile::passwd, 12, "ann", {id, id + 1}};
}

BankFacts bank(uint16_t number, std::string kind = "container", std::string name = "web") {
  return {.bank = Bank(number), .owner = ledger::Owner{std::move(kind), name}, .owner_name = name};
}

// Of the IDs 524288-589823.
IdFacts with_bank(IdFacts facts) {
  facts.banks.push_back(bank(8));
  return facts;
}

ContainerFacts container(std::string name, uint32_t outside, uint32_t count) {
  return {.id = name, .name = name, .users = {{0, outside, count}}, .groups = {{0, outside, count}}};
}

TEST(AuditIds, TheFirstAndTheLastIdOfABankAreItsOwn) {
  EXPECT_THAT(found(with_bank({.lines = {user(524287), user(589824)}})), IsEmpty());
  EXPECT_THAT(
      found(with_bank({.lines = {user(524288)}})),
      ElementsAre("high account-in-bank: the host's user ann has the ID 524288, which is in bank 0 of "
                  "container web (524288-589823)"));
  EXPECT_EQ(found(with_bank({.lines = {user(589823)}})).size(), 1U);
}

TEST(AuditIds, OwnersOfEveryKindAreNamed) {
  for (const auto& [kind, name, said] :
       {std::tuple{"name", "db", "the name db"}, std::tuple{"name", "3", "the number 3"},
        std::tuple{"project", "shop", "project shop"}}) {
    EXPECT_THAT(found({.lines = {user(524288)}, .banks = {bank(8, kind, name)}}),
                ElementsAre(HasSubstr(said)));
  }
}

TEST(AuditIds, ARangeOverManyBanksIsOneFinding) {
  const IdFacts facts{.lines = {{IdFile::subuid, 2, "ann", {1, 4000000}}},
                      .banks = {bank(8), bank(9), bank(20)}};
  EXPECT_THAT(found(facts),
              ElementsAre("high subordinate-in-bank: /etc/subuid gives ann the IDs 1-3999999, which overlap "
                          "bank 0 of container web (524288-589823) and 2 more"));
}

TEST(AuditIds, WhatWasMeantIsLow) {
  ContainerFacts keep = container("keep", 1000, 1);
  keep.ranges = {{1000, 1001}};
  EXPECT_THAT(found({.lines = {user(1000)}, .containers = {keep}}),
              ElementsAre(HasSubstr("high account-in-bank")));
  keep.userns = "keep-id:uid=5";
  EXPECT_THAT(found({.lines = {user(1000)}, .containers = {keep}}),
              ElementsAre(HasSubstr("low account-in-bank")));
}

TEST(AuditIds, ANamespaceOfTheUserWhoseIdIsKeptIsLow) {
  ContainerFacts keep = container("keep", 1000, 1);
  keep.ranges = {{1000, 1001}};
  keep.userns = "keep-id";
  IdFacts facts{.containers = {keep}};
  facts.running.namespaces.push_back({.inode = 1, .pid = 9, .users = {{1000, 1001}}});
  EXPECT_THAT(found(facts), ElementsAre(HasSubstr("low foreign-namespace")));
}

TEST(AuditIds, AProcessIsOneFindingHoweverManyOfItsIdsAreInABank) {
  IdFacts facts = with_bank({});
  facts.running.processes.push_back({7, "sh", {HostUid(524288), HostUid(524289)}});
  EXPECT_THAT(
      found(facts),
      ElementsAre(HasSubstr("high process-in-bank: a process outside all containers runs as 524288")));
}

TEST(AuditIds, AnIdIsSomebodysByEachKindOfClaim) {
  IdFacts facts;
  facts.running.processes.push_back({7, "sh", {HostUid(5000)}});
  facts.running.processes.push_back({8, "sh", {HostUid(5000)}});
  EXPECT_THAT(found(facts),
              ElementsAre("medium ownerless-process: 2 processes run as 5000, an ID that is nobody's"));
  EXPECT_THAT(found(facts, [](uint32_t id) { return id == 5000; }), IsEmpty());
  IdFacts passwd = facts;
  passwd.lines = {user(5000)};
  EXPECT_THAT(found(passwd), IsEmpty());
  IdFacts group = facts;
  group.lines = {{IdFile::group, 1, "crew", {5000, 5001}}};
  EXPECT_EQ(found(group).size(), 1U) << "a group's number says nothing of a user's";
  IdFacts subordinate = facts;
  subordinate.lines = {{IdFile::subuid, 1, "ann", {4000, 6000}}};
  EXPECT_THAT(found(subordinate), IsEmpty());
  IdFacts mapped = facts;
  mapped.running.namespaces.push_back({.inode = 1, .pid = 9, .users = {{5000, 5001}}});
  EXPECT_THAT(found(mapped), IsEmpty());
}

TEST(AuditIds, ContainersThatShareNoBankMustNotOverlap) {
  IdFacts facts{.containers = {container("one", 2000000000, 1000), container("two", 2000000999, 10),
                               container("three", 2000001009, 10)}};
  EXPECT_THAT(found(facts),
              ElementsAre("high shared-map: the containers one and two both map the host's IDs 2000000999"));
  facts.containers[1].userns = "container:one";
  EXPECT_THAT(found(facts), IsEmpty());
}

TEST(AuditIds, EveryPairOfContainersIsNamedOnce) {
  ContainerFacts one = container("one", 2000000000, 100);
  ContainerFacts two = one;
  two.id = two.name = "two";
  for (ContainerFacts* each : {&one, &two}) {
    for (uint32_t i = 1; i < 50; ++i) each->users.push_back({i * 1000, 2000000000 + i * 1000, 100});
  }
  EXPECT_EQ(found({.containers = {one, two}}).size(), 1U);
}

TEST(AuditIds, ContainersOfOneBankMayOverlap) {
  ContainerFacts one = container("one", 524288, 65536);
  one.banks = {Bank(8)};
  ContainerFacts two = one;
  two.id = two.name = "two";
  EXPECT_THAT(found({.banks = {bank(8, "name", "pair")}, .containers = {one, two}}), IsEmpty());
  two.banks.clear();
  EXPECT_THAT(found({.banks = {bank(8, "name", "pair")}, .containers = {one, two}}),
              ElementsAre(HasSubstr("high shared-map: the containers one and two")));
}

}  // namespace
}  // namespace berth::engine
