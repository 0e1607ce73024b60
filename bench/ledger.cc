// What a bank costs: taking one from the ledger and freeing it again, each in a transaction of its own. The
// process and the opening of the database are left out.
//
//   ledger --database FILE [--runs N] [--durability full|relaxed]
//
// full: each transaction is on disk when it ends, as for a container that stays. relaxed: as for one with
// --rm, which does not outlive a reboot. The medians in milliseconds go to stdout as JSON.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/banks.h"
#include "store/database.h"

namespace {

using berth::Result;
namespace ledger = berth::ledger;
namespace store = berth::store;

struct Times {
  std::vector<double> take;
  std::vector<double> free;
  std::vector<double> both;
};

double milliseconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double>& times) {
  const auto middle = times.begin() + static_cast<long>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

Result<> take(store::Database& db, const ledger::Owner& owner) {
  store::Transaction transaction = TRY(store::Transaction::begin(db));
  TRY(ledger::allocate_bank(db, owner));
  return transaction.commit();
}

Result<> free_again(store::Database& db, const ledger::Owner& owner) {
  store::Transaction transaction = TRY(store::Transaction::begin(db));
  TRY(ledger::free_banks_of(db, owner));
  return transaction.commit();
}

Result<Times> measure(const std::string& path, int runs, bool relaxed) {
  store::Database db = TRY(store::Database::open(path));
  if (relaxed) TRY(db.relax_durability());
  const ledger::Owner owner{"container", "measured"};
  Times times;
  for (int i = 0; i <= runs; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    TRY(take(db, owner));
    const double taken = milliseconds_since(begin);
    TRY(free_again(db, owner));
    const double both = milliseconds_since(begin);
    if (i == 0) continue;  // the look at all processes, once a minute, and cold pages
    times.take.push_back(taken);
    times.free.push_back(both - taken);
    times.both.push_back(both);
  }
  return times;
}

}  // namespace

int main(int argc, char** argv) {
  std::string path;
  int runs = 20;
  bool relaxed = false;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string_view(argv[i]) == "--database") path = argv[i + 1];
    if (std::string_view(argv[i]) == "--durability") relaxed = std::string_view(argv[i + 1]) == "relaxed";
    if (std::string_view(argv[i]) == "--runs")
      runs = std::max(1, static_cast<int>(std::strtol(argv[i + 1], nullptr, 10)));
  }
  if (path.empty()) {
    std::fputs("ledger --database FILE [--runs N] [--durability full|relaxed]\n", stderr);
    return 2;
  }
  Result<Times> times = measure(path, runs, relaxed);
  if (!times) {
    std::fputs(berth::render("ledger", times.error()).c_str(), stderr);
    return 1;
  }
  std::printf("{\"take_ms\": %.4f, \"free_ms\": %.4f, \"median_ms\": %.4f}\n", median(times->take),
              median(times->free), median(times->both));
  return 0;
}
