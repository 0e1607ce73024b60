// A ledger of its own for each test, on a host of its own: /etc and /proc below a temporary directory, and a
// clock.
#pragma once

#include <fstream>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "../../support/scratch.h"
#include "ledger/banks.h"

namespace berth::ledger {

class Ledger : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::mkdir((scratch_.path() + "/etc").c_str(), 0755), 0);
    host_.etc = scratch_.path() + "/etc";
    // Not what other tests run at the same time.
    ASSERT_EQ(::mkdir((scratch_.path() + "/proc").c_str(), 0755), 0);
    host_.proc = scratch_.path() + "/proc";
    host_.now = [] { return now; };
    now = now_nanoseconds();
    host_.knows_user = host_.knows_group = [](uint32_t) { return false; };
    host_.runs_processes = [](uint32_t) { return false; };
    open();
  }
  void open() { db_.emplace(store::Database::open(path()).value()); }
  [[nodiscard]] std::string path() const { return scratch_.path() + "/berth.db"; }
  void write_etc(const std::string& name, const std::string& text) {
    std::ofstream(host_.etc + "/" + name) << text;
  }

  store::Database& db() { return *db_; }
  static void pass(int64_t seconds) { now += seconds * kNanoseconds; }
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
    const int64_t freed = free_banks_of(db(), {"container", id}, host_).value();
    EXPECT_TRUE(transaction.commit());
    return freed;
  }
  void execute(const std::string& sql) {
    const auto done = db().execute(sql.c_str());
    ASSERT_TRUE(done) << done.error().message;
  }

  inline static int64_t now = 0;  // what the ledger takes the time for
  const test::Scratch scratch_;
  HostSources host_;
  std::optional<store::Database> db_;
};

}  // namespace berth::ledger
