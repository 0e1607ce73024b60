#include "ledger/banks.h"

#include <chrono>
#include <deque>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/file.h"

namespace berth::ledger {
namespace {

using testing::HasSubstr;

// A store's database and an /etc of its own, below a temporary directory.
class Ledger : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/ledger.XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    ASSERT_EQ(::mkdir((directory_ + "/etc").c_str(), 0755), 0);
    host_.etc = directory_ + "/etc";
    // Not what other tests run at the same time.
    ASSERT_EQ(::mkdir((directory_ + "/proc").c_str(), 0755), 0);
    host_.proc = directory_ + "/proc";
    host_.named = [](uint32_t) { return false; };
    host_.runs_processes = [](uint32_t) { return false; };
    open();
  }
  void TearDown() override {
    db_.reset();
    const auto removed = sys::remove_tree_at(AT_FDCWD, directory_);
    ASSERT_TRUE(removed) << removed.error().message;
  }
  void open() { db_.emplace(store::Database::open(path()).value()); }
  [[nodiscard]] std::string path() const { return directory_ + "/berth.db"; }
  void write_etc(const std::string& name, const std::string& text) {
    std::ofstream(host_.etc + "/" + name) << text;
  }

  store::Database& db() { return *db_; }
  Result<Bank> allocate(const std::string& id) {
    store::Transaction transaction = TRY(store::Transaction::begin(db()));
    const Bank bank = TRY(allocate_bank(db(), {"container", id}, host_));
    TRY(transaction.commit());
    return bank;
  }
  int number(const std::string& id) {
    const Result<Bank> bank = allocate(id);
    EXPECT_TRUE(bank) << bank.error().message;
    return bank ? bank->number() : -1;
  }
  int64_t release(const std::string& id) {
    store::Transaction transaction = store::Transaction::begin(db()).value();
    const int64_t freed = free_banks_of(db(), {"container", id}).value();
    EXPECT_TRUE(transaction.commit());
    return freed;
  }
  void execute(const std::string& sql) {
    const auto done = db().execute(sql.c_str());
    ASSERT_TRUE(done) << done.error().message;
  }

  std::string directory_;
  HostSources host_;
  std::optional<store::Database> db_;
};

TEST_F(Ledger, BanksComeInAscendingOrderFromTheStartOfThePool) {
  EXPECT_EQ(number("a"), 8);
  EXPECT_EQ(number("b"), 9);
  EXPECT_EQ(number("a"), 10);
  EXPECT_EQ(banks_of(db(), {"container", "a"}).value(), (std::vector{Bank(8), Bank(10)}));
}

TEST_F(Ledger, AFreedBankRestsWhileThereAreFreshOnes) {
  EXPECT_EQ(number("a"), 8);
  EXPECT_EQ(release("a"), 1);
  EXPECT_EQ(number("b"), 9);
  const BankRecord record = find_bank(db(), Bank(8)).value().value();
  EXPECT_EQ(record.owner, std::nullopt);
  EXPECT_EQ(record.last_owner, (Owner{"container", "a"})) << "a host ID in a log still names its container";
  EXPECT_GT(record.freed_at, 1'500'000'000);
  EXPECT_EQ(find_bank(db(), Bank(10)).value(), std::nullopt);
}

TEST_F(Ledger, TheLeastRecentlyFreedGoesFirst) {
  for (const char* id : {"a", "b", "c", "d"}) number(id);
  execute("DELETE FROM fresh_banks");
  release("c");
  release("a");
  // A clock that is set back changes nothing in the order.
  execute("UPDATE banks SET freed_at = freed_at + 1000000000000000 WHERE owner IS NULL");
  release("d");
  EXPECT_EQ(number("e"), 10);
  EXPECT_EQ(number("f"), 8);
  EXPECT_EQ(number("g"), 11);
}

TEST_F(Ledger, AFullPoolSaysWhoHoldsIt) {
  execute("DELETE FROM fresh_banks");
  execute(
      "WITH RECURSIVE n(i) AS (SELECT 8 UNION ALL SELECT i + 1 FROM n WHERE i < 28671) "
      "INSERT INTO banks (number, owner_kind, owner, since) "
      "SELECT i, CASE WHEN i < 20000 THEN 'container' ELSE 'project' END, CASE WHEN i < 20000 THEN i ELSE "
      "'web' END, 1 "
      "FROM n");
  const Result<Bank> bank = allocate("a");
  ASSERT_FALSE(bank);
  EXPECT_EQ(bank.error().code, Code::conflict);
  EXPECT_EQ(bank.error().message,
            "no bank of user IDs is free: 28664 of 28664 are held, 19992 by containers, 8672 by projects "
            "(most: 8672 by project web)");
  EXPECT_THAT(bank.error().hint, HasSubstr("berth rm"));
}

TEST_F(Ledger, ThePoolEndsWhereItEnds) {
  execute("UPDATE fresh_banks SET first = 28671");
  EXPECT_EQ(number("last"), 0x6FFF);
  const Result<Bank> bank = allocate("one more");
  ASSERT_FALSE(bank);
  EXPECT_THAT(bank.error().message, HasSubstr("1 of 28664 are held"));
}

TEST_F(Ledger, SubordinateRangesArePassedOver) {
  write_etc("subuid", "ann:524288:65536\n");
  write_etc("subgid", "bob:655361:10\n");
  EXPECT_EQ(number("a"), 9);
  EXPECT_EQ(number("b"), 11);
  // And they come back as soon as nobody claims them.
  write_etc("subuid", "berth:524288:65536\n");
  EXPECT_EQ(number("c"), 8);
  EXPECT_EQ(number("d"), 12);
  write_etc("subgid", "");
  EXPECT_EQ(number("e"), 10);
  EXPECT_EQ(number("f"), 13);
}

TEST_F(Ledger, UsersAndGroupsOfTheHostArePassedOver) {
  write_etc("passwd", "root:x:0:0::/root:/bin/sh\nann:x:524289:100::/home/ann:/bin/sh\n");
  write_etc("group", "lab:x:655359:\n");
  EXPECT_EQ(number("a"), 10);
}

TEST_F(Ledger, AResteeBankThatSomebodyClaimsMeanwhileIsPassedOver) {
  for (const char* id : {"a", "b"}) number(id);
  execute("DELETE FROM fresh_banks");
  release("a");
  release("b");
  write_etc("subuid", "ann:524288:65536\n");
  EXPECT_EQ(number("c"), 9);
  const Result<Bank> bank = allocate("d");
  ASSERT_FALSE(bank);
  EXPECT_THAT(bank.error().message, HasSubstr("the others are in use by users, subordinate ID ranges"));
}

TEST_F(Ledger, NameServicesAreAskedOnlyWhereThereAreSome) {
  host_.named = [](uint32_t id) { return id == 524288; };
  write_etc("nsswitch.conf", "passwd: files\n");
  EXPECT_EQ(number("a"), 8);
  release("a");
  execute("UPDATE fresh_banks SET first = 8");
  execute("DELETE FROM banks");
  write_etc("nsswitch.conf", "passwd: files sss\n");
  EXPECT_EQ(number("b"), 9);
}

TEST_F(Ledger, ANameServiceThatKnowsEveryIdIsNotAskedForEver) {
  static int asked = 0;
  asked = 0;
  host_.named = [](uint32_t) { return ++asked > 0; };
  write_etc("nsswitch.conf", "group: files winbind\n");
  const Result<Bank> bank = allocate("a");
  ASSERT_FALSE(bank);
  EXPECT_THAT(bank.error().message, HasSubstr("name service"));
  EXPECT_LT(asked, 2000);
}

TEST_F(Ledger, AClaimOnHalfThePoolIsJumpedOver) {
  write_etc("subuid", "containers:524288:1000000000\n");
  EXPECT_EQ(number("a"), (524288 + 1000000000) / 65536 + 1);
}

TEST_F(Ledger, NothingLeaksWhereTheContainerIsGone) {
  execute(
      "INSERT INTO containers (id, name, image_id, image_name, created_at, spec, state) "
      "VALUES ('kept', 'k', 'i', 'n', 1, '{}', 'exited')");
  number("kept");
  number("gone");
  EXPECT_EQ(reclaim_banks(db()).value(), 1);
  ASSERT_EQ(held_banks(db()).value().size(), 1U);
  EXPECT_EQ(held_banks(db()).value()[0].owner, (Owner{"container", "kept"}));
  EXPECT_EQ(reclaim_banks(db()).value(), 0);
}

TEST_F(Ledger, ARolledBackAllocationNeverWas) {
  {
    const store::Transaction transaction = store::Transaction::begin(db()).value();
    EXPECT_EQ(allocate_bank(db(), {"container", "a"}, host_).value(), Bank(8));
  }
  EXPECT_EQ(held_banks(db()).value().size(), 0U);
  EXPECT_EQ(number("b"), 8);
}

// Whatever happens in whatever order: no bank twice, none outside the pool, fresh ones first, then the one
// freed longest ago.
TEST_F(Ledger, RandomSequencesKeepTheInvariants) {
  execute("PRAGMA synchronous=OFF");
  execute("UPDATE fresh_banks SET last = 40");
  std::mt19937 random(99);
  std::map<int, std::string> held;
  std::deque<int> resting;
  int fresh = 8;
  for (int step = 0; step < 3000; ++step) {
    const bool give = random() % 2 == 0;
    if (give) {
      const std::string id = std::to_string(step);
      const Result<Bank> bank = allocate(id);
      if (fresh <= 40) {
        ASSERT_TRUE(bank);
        ASSERT_EQ(bank->number(), fresh++);
      } else if (!resting.empty()) {
        ASSERT_TRUE(bank);
        ASSERT_EQ(bank->number(), resting.front());
        resting.pop_front();
      } else {
        ASSERT_FALSE(bank);
        continue;
      }
      ASSERT_GE(bank->base(), 65536U);
      ASSERT_TRUE(held.emplace(bank->number(), id).second);
    } else if (!held.empty()) {
      const auto chosen = std::next(held.begin(), static_cast<long>(random() % held.size()));
      ASSERT_EQ(release(chosen->second), 1);
      resting.push_back(chosen->first);
      held.erase(chosen);
    }
  }
  ASSERT_EQ(held_banks(db()).value().size(), held.size());
}

TEST_F(Ledger, SixteenProcessesAtOnceNeverShareABank) {
  constexpr int kProcesses = 16;
  constexpr int kEach = 20;
  db_.reset();  // a connection must not cross a fork
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      open();
      int failures = 0;
      for (int n = 0; n < kEach; ++n) {
        const std::string id = std::to_string(i) + "-" + std::to_string(n);
        failures += allocate(id) ? 0 : 1;
        if (n % 2 == 0) failures += release(id) == 1 ? 0 : 1;
      }
      ::_exit(failures);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  }
  open();
  const std::vector<BankRecord> records = held_banks(db()).value();
  std::set<std::string> owners;
  std::set<Bank> banks;
  for (const BankRecord& record : records) {
    owners.insert(record.owner.value().id);
    banks.insert(record.bank);
  }
  EXPECT_EQ(records.size(), size_t{kProcesses} * kEach / 2);
  EXPECT_EQ(owners.size(), records.size());
  EXPECT_EQ(banks.size(), records.size());
}

TEST_F(Ledger, AKilledProcessHoldsNothing) {
  db_.reset();
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    open();
    const auto transaction = store::Transaction::begin(db()).value();
    if (!allocate_bank(db(), {"container", "a"}, host_)) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSIGNALED(status));
  open();
  EXPECT_EQ(number("b"), 8);
}

// The best of many: what other work on the machine does to the rest is no matter.
TEST_F(Ledger, TheCostDoesNotGrowWithTheBanksHeld) {
  execute("PRAGMA synchronous=OFF");
  const auto microseconds = [&] {
    double best = 1e9;
    for (int i = 0; i < 50; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      number("measured");
      const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
      best = std::min(best, took.count());
    }
    return best;
  };
  number("the first looks at the processes");
  const double empty = microseconds();
  execute(
      "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 28100) "
      "INSERT INTO banks (number, owner_kind, owner, since) SELECT i, 'container', i, 1 FROM n");
  execute("UPDATE fresh_banks SET first = 28101");
  const double held = microseconds();
  execute("DELETE FROM fresh_banks");
  execute("UPDATE banks SET owner = NULL, freed_at = number WHERE number > 20000");
  const double rested = microseconds();
  RecordProperty("microseconds",
                 fmt::format("{:.0f} empty, {:.0f} held, {:.0f} rested", empty, held, rested));
  EXPECT_LT(held, 2 * empty + 50);
  EXPECT_LT(rested, 2 * empty + 50);
}

}  // namespace
}  // namespace berth::ledger
