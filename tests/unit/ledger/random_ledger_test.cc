// Whatever happens in whatever order: no bank twice, none outside the pool, none in a range that a container
// maps, fresh ones first, then those that have rested an hour, and those kept for numbers only after both.
#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "ledger/bank_uses.h"
#include "ledger/host_ranges.h"
#include "ledger/named_banks.h"
#include "ledger_fixture.h"

namespace berth::ledger {
namespace {

constexpr int kFirstNumbered = 8;
constexpr int kLastNumbered = 15;
constexpr int kFirstOther = 1032;
constexpr int kLastOther = 1060;

// What the ledger should know, kept the simple way.
struct Model {
  struct Free {
    int64_t freed_at = 0;  // 0: never held
    std::string last;
  };
  std::map<int, Free> free;
  std::map<int, std::string> held;
  std::map<std::string, int> mapped;  // container to the bank that its range lies in

  [[nodiscard]] bool is_mapped(int number) const {
    return std::any_of(mapped.begin(), mapped.end(),
                       [&](const auto& entry) { return entry.second == number; });
  }
  // The bank that is next, or -1.
  [[nodiscard]] int next(int64_t now) const {
    const auto rank = [&](int number, const Free& bank) {
      const bool numbered = number < kFirstOther;
      const bool fresh = bank.freed_at == 0;
      if (fresh) return std::tuple(numbered ? 2 : 0, int64_t{number});
      if (!numbered && bank.freed_at <= now - kRestSeconds * kNanoseconds)
        return std::tuple(1, bank.freed_at);
      return std::tuple(3, bank.freed_at);
    };
    int best = -1;
    for (const auto& [number, bank] : free) {
      if (is_mapped(number)) continue;
      if (best < 0 || rank(number, bank) < rank(best, free.at(best))) best = number;
    }
    return best;
  }
};

class RandomLedger : public Ledger {
 protected:
  void SetUp() override {
    Ledger::SetUp();
    execute("PRAGMA synchronous=OFF");
    execute("UPDATE fresh_banks SET last = 15 WHERE first = 8");
    execute("UPDATE fresh_banks SET last = 1060 WHERE first = 1032");
    for (int number = kFirstNumbered; number <= kLastNumbered; ++number) model_.free[number];
    for (int number = kFirstOther; number <= kLastOther; ++number) model_.free[number];
  }

  void give(const std::string& id) {
    const int expected = model_.next(now);
    const Result<Bank> bank = allocate(id);
    ASSERT_EQ(bank.has_value(), expected >= 0) << (bank ? "" : bank.error().message);
    if (!bank) return;
    ASSERT_EQ(bank->number(), expected);
    hold(expected, id);
  }
  void take_back(size_t chance) {
    if (model_.held.empty()) return;
    const auto chosen = std::next(model_.held.begin(), static_cast<long>(chance % model_.held.size()));
    const std::string owner = chosen->second;
    if (owner.find_first_not_of("0123456789") == std::string::npos) {
      ASSERT_TRUE(remove_named_banks(db(), owner, host_));
    } else {
      ASSERT_EQ(release(owner), 1);
    }
    model_.free[chosen->first] = {freed_at(chosen->first), owner};
    model_.held.erase(chosen);
  }
  void claim(int number) {
    const std::string word = std::to_string(number - kFirstNumbered);
    const Result<std::vector<Bank>> banks = claim_banks(db(), word, host_);
    const auto held = model_.held.find(number);
    bool may = held != model_.held.end() && held->second == word;
    if (held == model_.held.end()) {
      const Model::Free& bank = model_.free.at(number);
      const int64_t rested = now / kNanoseconds - bank.freed_at / kNanoseconds;
      may = !model_.is_mapped(number) && (bank.freed_at == 0 || bank.last == word || rested >= kRestSeconds);
    }
    ASSERT_EQ(banks.has_value(), may) << word << ": " << (banks ? "" : banks.error().message);
    if (banks && held == model_.held.end()) hold(number, word);
  }
  void map_range(const std::string& id, int number) {
    const uint64_t begin = static_cast<uint64_t>(number) * kBankSize + 17;
    const bool free = check_range_free(db(), IdKind::both, {begin, begin + 5}, host_).has_value();
    ASSERT_EQ(free, !model_.held.contains(number) && !model_.is_mapped(number));
    if (!free) return;
    ASSERT_TRUE(record_range(db(), id, {begin, begin + 5}));
    model_.mapped[id] = number;
  }
  void forget_one() {
    if (model_.mapped.empty()) return;
    ASSERT_TRUE(forget_uses(db(), model_.mapped.begin()->first));
    model_.mapped.erase(model_.mapped.begin());
  }
  void hold(int number, const std::string& owner) {
    ASSERT_EQ(model_.free.erase(number), 1U);
    ASSERT_TRUE(model_.held.emplace(number, owner).second);
  }
  int64_t freed_at(int number) {
    store::Statement query = db().prepare("SELECT freed_at FROM banks WHERE number = ?").value();
    query.bind(1, int64_t{number});
    EXPECT_TRUE(query.step().value());
    return query.number(0);
  }

  Model model_;
};

TEST_F(RandomLedger, SequencesKeepTheInvariants) {
  std::mt19937 random(99);
  const auto any = [&](int first, int last) {
    return first + static_cast<int>(random() % static_cast<uint32_t>(last - first + 1));
  };
  for (int step = 0; step < 3000 && !HasFatalFailure(); ++step) {
    const std::string id = "c" + std::to_string(step);
    pass(any(0, 400));
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
        give(id);
        break;
      case 3:
      case 4:
        take_back(random());
        break;
      case 5:
        claim(any(kFirstNumbered, kLastNumbered));
        break;
      case 6:
        map_range(id, random() % 2 == 0 ? any(kFirstOther, kLastOther) : any(kFirstNumbered, kLastNumbered));
        break;
      default:
        forget_one();
        break;
    }
  }
  std::map<int, std::string> held;
  const std::vector<BankRecord> records = held_banks(db()).value();
  for (const BankRecord& record : records) held[record.bank.number()] = record.owner->id;
  EXPECT_EQ(held, model_.held);
}

}  // namespace
}  // namespace berth::ledger
