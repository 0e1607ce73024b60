#include "ledger/banks.h"

#include <algorithm>
#include <ctime>

namespace berth::ledger {

namespace {

constexpr int64_t kNanoseconds = 1'000'000'000;
// A name service that gives every ID a name would otherwise be asked 28,664 times.
constexpr int kMaxCandidates = 1024;

Bank bank_number(int64_t number) {
  return Bank(static_cast<uint16_t>(number));
}

int64_t now_nanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * kNanoseconds + now.tv_nsec;
}

// A range of banks, both ends included.
struct BankRange {
  int64_t first = 0;
  int64_t last = 0;
};

// Goes through candidates; counts those that are not ours to give.
class Search {
 public:
  explicit Search(const Reservations& reservations) : reservations_(reservations) {}

  bool may_take(int64_t number) {
    if (++asked_ <= kMaxCandidates && !reservations_.holds(bank_number(number))) return true;
    return false;
  }
  [[nodiscard]] bool given_up() const { return asked_ > kMaxCandidates; }
  [[nodiscard]] const Reservations& reservations() const { return reservations_; }

 private:
  const Reservations& reservations_;
  int asked_ = 0;
};

// Takes `number` out of the range of fresh banks that it lies in.
Result<> use_up(store::Database& db, const BankRange& range, int64_t number) {
  if (number > range.first) {
    store::Statement before = TRY(db.prepare("UPDATE fresh_banks SET last = ? WHERE first = ?"));
    TRY(before.bind(1, number - 1).bind(2, range.first).run());
    if (number == range.last) return {};
    store::Statement after = TRY(db.prepare("INSERT INTO fresh_banks (first, last) VALUES (?, ?)"));
    return after.bind(1, number + 1).bind(2, range.last).run();
  }
  if (number == range.last) {
    store::Statement gone = TRY(db.prepare("DELETE FROM fresh_banks WHERE first = ?"));
    return gone.bind(1, range.first).run();
  }
  store::Statement shorter = TRY(db.prepare("UPDATE fresh_banks SET first = ? WHERE first = ?"));
  return shorter.bind(1, number + 1).bind(2, range.first).run();
}

std::optional<int64_t> first_free_in(const BankRange& range, Search& search) {
  const idmap::IdRange ids{idmap::range_of(bank_number(range.first)).begin,
                           idmap::range_of(bank_number(range.last)).end};
  // Whole reserved ranges are jumped over: /etc/subuid may hold half of the pool.
  for (const idmap::IdRange& open : idmap::subtract(ids, search.reservations().ranges())) {
    const auto begin = static_cast<int64_t>((open.begin + kBankSize - 1) / kBankSize);
    const auto end = static_cast<int64_t>(open.end / kBankSize);
    for (int64_t number = begin; number < end && !search.given_up(); ++number) {
      if (search.may_take(number)) return number;
    }
  }
  return std::nullopt;
}

Result<std::optional<Bank>> take_fresh(store::Database& db, const Owner& owner, Search& search) {
  store::Statement ranges = TRY(db.prepare("SELECT first, last FROM fresh_banks ORDER BY first"));
  while (TRY(ranges.step())) {
    const BankRange range{ranges.number(0), ranges.number(1)};
    const std::optional<int64_t> number = first_free_in(range, search);
    if (!number) continue;
    ranges.reset();
    TRY(use_up(db, range, *number));
    store::Statement insert =
        TRY(db.prepare("INSERT INTO banks (number, owner_kind, owner, since) VALUES (?, ?, ?, ?)"));
    TRY(insert.bind(1, *number)
            .bind(2, owner.kind)
            .bind(3, owner.id)
            .bind(4, int64_t{::time(nullptr)})
            .run());
    return bank_number(*number);
  }
  return std::nullopt;
}

Result<std::optional<Bank>> take_rested(store::Database& db, const Owner& owner, Search& search) {
  store::Statement resting =
      TRY(db.prepare("SELECT number FROM banks WHERE owner IS NULL ORDER BY freed_at"));
  while (!search.given_up() && TRY(resting.step())) {
    const int64_t number = resting.number(0);
    if (!search.may_take(number)) continue;
    resting.reset();
    store::Statement update =
        TRY(db.prepare("UPDATE banks SET owner_kind = ?, owner = ?, since = ? WHERE number = ?"));
    TRY(update.bind(1, owner.kind).bind(2, owner.id).bind(3, int64_t{::time(nullptr)}).bind(4, number).run());
    return bank_number(number);
  }
  return std::nullopt;
}

struct Usage {
  int64_t held = 0;
  std::string largest;  // "28000 by containers, 12 by projects (most: 5 by project web)"
};

Result<Usage> usage(store::Database& db) {
  Usage found;
  store::Statement kinds = TRY(db.prepare(
      "SELECT owner_kind, count(*) FROM banks WHERE owner IS NOT NULL GROUP BY owner_kind ORDER BY 2 DESC"));
  while (TRY(kinds.step())) {
    found.held += kinds.number(1);
    found.largest +=
        fmt::format("{}{} by {}s", found.largest.empty() ? "" : ", ", kinds.number(1), kinds.text(0));
  }
  store::Statement most =
      TRY(db.prepare("SELECT owner_kind, owner, count(*) FROM banks WHERE owner IS NOT NULL "
                     "GROUP BY owner_kind, owner ORDER BY 3 DESC LIMIT 1"));
  if (TRY(most.step()) && most.number(2) > 1) {
    found.largest += fmt::format(" (most: {} by {} {})", most.number(2), most.text(0), most.text(1));
  }
  return found;
}

Result<Bank> fail_full(store::Database& db, const Search& search) {
  const Usage held = TRY(usage(db));
  std::string message = fmt::format("no bank of user IDs is free: {} of {} are held", held.held, kPoolBanks);
  if (!held.largest.empty()) message += ", " + held.largest;
  Error error{Code::conflict, 0, std::move(message), {}};
  if (held.held == kPoolBanks) {
    return std::unexpected(std::move(error).with_hint(
        "A stopped container keeps its bank until it is removed: see \"berth ps -a\" and \"berth rm\"."));
  }
  error.message +=
      search.given_up()
          ? ", and the host's name service has a user for each of the others that were tried"
          : ", and the others are in use by users, subordinate ID ranges or running user namespaces";
  return std::unexpected(std::move(error).with_hint(
      "Remove containers (\"berth ps -a\", \"berth rm\"), or free IDs from 524288 to 1879048191 in "
      "/etc/subuid and "
      "/etc/subgid; a line there with the name \"berth\" keeps a range for berth."));
}

// Later than all that rest, even if the clock was set back: the order of freeing decides who is next.
Result<int64_t> next_freeing_time(store::Database& db) {
  store::Statement latest = TRY(db.prepare("SELECT max(freed_at) FROM banks WHERE owner IS NULL"));
  TRY(latest.step());
  return std::max(now_nanoseconds(), latest.number(0) + 1);
}

BankRecord read_record(const store::Statement& row) {
  BankRecord record;
  record.bank = bank_number(row.number(0));
  if (!row.is_null(2)) record.owner = Owner{row.text(1), row.text(2)};
  record.since = row.number(3);
  record.freed_at = row.number(4) / kNanoseconds;
  if (!row.is_null(6)) record.last_owner = Owner{row.text(5), row.text(6)};
  return record;
}

}  // namespace

Result<Bank> allocate_bank(store::Database& db, const Owner& owner, const HostSources& host) {
  const Reservations reservations =
      TRY_CONTEXT(Reservations::look(db, host), "see which IDs are in use on this host");
  Search search(reservations);
  if (const std::optional<Bank> bank = TRY(take_fresh(db, owner, search))) return *bank;
  if (const std::optional<Bank> bank = TRY(take_rested(db, owner, search))) return *bank;
  return fail_full(db, search);
}

Result<int64_t> free_banks_of(store::Database& db, const Owner& owner) {
  // number breaks the tie among the banks of one owner.
  store::Statement update = TRY(db.prepare(
      "UPDATE banks SET last_owner_kind = owner_kind, last_owner = owner, owner_kind = NULL, owner = NULL, "
      "since = NULL, freed_at = ?1 WHERE owner_kind = ?2 AND owner = ?3"));
  const int64_t now = TRY(next_freeing_time(db));
  TRY(update.bind(1, now).bind(2, owner.kind).bind(3, owner.id).run());
  return db.changes();
}

Result<std::vector<Bank>> banks_of(store::Database& db, const Owner& owner) {
  store::Statement select =
      TRY(db.prepare("SELECT number FROM banks WHERE owner_kind = ? AND owner = ? ORDER BY since, number"));
  select.bind(1, owner.kind).bind(2, owner.id);
  std::vector<Bank> banks;
  while (TRY(select.step())) banks.push_back(bank_number(select.number(0)));
  return banks;
}

Result<std::optional<BankRecord>> find_bank(store::Database& db, Bank bank) {
  store::Statement select =
      TRY(db.prepare("SELECT number, owner_kind, owner, since, freed_at, last_owner_kind, last_owner "
                     "FROM banks WHERE number = ?"));
  select.bind(1, int64_t{bank.number()});
  if (!TRY(select.step())) return std::nullopt;
  return read_record(select);
}

Result<std::vector<BankRecord>> held_banks(store::Database& db) {
  store::Statement select =
      TRY(db.prepare("SELECT number, owner_kind, owner, since, freed_at, last_owner_kind, last_owner "
                     "FROM banks WHERE owner IS NOT NULL ORDER BY number"));
  std::vector<BankRecord> records;
  while (TRY(select.step())) records.push_back(read_record(select));
  return records;
}

Result<int64_t> reclaim_banks(store::Database& db) {
  store::Statement update = TRY(db.prepare(
      "UPDATE banks SET last_owner_kind = owner_kind, last_owner = owner, owner_kind = NULL, owner = NULL, "
      "since = NULL, freed_at = ?1 WHERE owner_kind = 'container' "
      "AND NOT EXISTS (SELECT 1 FROM containers WHERE id = banks.owner)"));
  const int64_t now = TRY(next_freeing_time(db));
  TRY(update.bind(1, now).run());
  return db.changes();
}

}  // namespace berth::ledger
