#include "ledger/banks.h"

#include <algorithm>

#include "base/clock.h"

namespace berth::ledger {

namespace {

// A name service that gives every ID a name would otherwise be asked 28,664 times.
constexpr int kMaxCandidates = 1024;

Bank bank_number(int64_t number) {
  return Bank(static_cast<uint16_t>(number));
}

// Goes through candidates; counts those that somebody has to be asked about.
class Search {
 public:
  explicit Search(const Reservations& reservations) : reservations_(reservations) {}

  bool may_take(int64_t number) {
    const Bank bank = bank_number(number);
    if (reservations_.covers(bank)) return false;
    return ++asked_ <= kMaxCandidates && !reservations_.is_known_or_runs(bank);
  }
  [[nodiscard]] bool given_up() const { return asked_ > kMaxCandidates; }
  [[nodiscard]] const Reservations& reservations() const { return reservations_; }

 private:
  const Reservations& reservations_;
  int asked_ = 0;
};

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

// The whole pool in the order of the ranges, or only a part of it.
Result<std::optional<int64_t>> take_fresh(store::Database& db, Search& search, const BankRange& part) {
  store::Statement ranges = TRY(db.prepare("SELECT first, last FROM fresh_banks ORDER BY first"));
  while (TRY(ranges.step())) {
    const BankRange range{ranges.number(0), ranges.number(1)};
    const BankRange wanted{std::max(range.first, part.first), std::min(range.last, part.last)};
    if (wanted.first > wanted.last) continue;
    const std::optional<int64_t> number = first_free_in(wanted, search);
    if (!number) continue;
    ranges.reset();
    TRY(use_up(db, range, *number));
    return number;
  }
  return std::nullopt;
}

// `query` gives numbers of freed banks.
Result<std::optional<int64_t>> take_freed(store::Statement query, Search& search) {
  while (!search.given_up() && TRY(query.step())) {
    const int64_t number = query.number(0);
    if (search.may_take(number)) return number;
  }
  return std::nullopt;
}

// In the order that banks.h tells.
Result<std::optional<int64_t>> choose(store::Database& db, Search& search, int64_t rest_seconds,
                                      int64_t now) {
  const BankRange unnumbered{kFirstUnnumbered.number(), kLastBank.number()};
  if (const auto fresh = TRY(take_fresh(db, search, unnumbered))) return fresh;
  store::Statement rested =
      TRY(db.prepare("SELECT number FROM banks WHERE owner IS NULL AND number >= 1032 AND freed_at <= ? "
                     "ORDER BY freed_at"));
  rested.bind(1, now - rest_seconds * kNanoseconds);
  if (const auto found = TRY(take_freed(std::move(rested), search))) return found;
  const BankRange numbered{kFirstBank.number(), kFirstUnnumbered.number() - 1};
  if (const auto fresh = TRY(take_fresh(db, search, numbered))) return fresh;
  return take_freed(TRY(db.prepare("SELECT number FROM banks WHERE owner IS NULL ORDER BY freed_at")),
                    search);
}

Result<> check_quota(store::Database& db, const Owner& owner, int64_t quota) {
  store::Statement held = TRY(db.prepare("SELECT count(*) FROM banks WHERE owner_kind = ? AND owner = ?"));
  held.bind(1, owner.kind).bind(2, owner.id);
  TRY(held.step());
  if (held.number(0) < quota) return {};
  const std::string who = TRY(describe_owner(db, owner));
  Error error{Code::conflict,
              0,
              fmt::format("{} has a quota of {} banks and holds {}", who, quota, held.number(0)),
              {}};
  return std::unexpected(
      std::move(error).with_hint("`berth bank ls` says which; free some, or raise the quota."));
}

// Later than all that rest, even if the clock was set back: the order of freeing decides who is next.
Result<int64_t> next_freeing_time(store::Database& db, const HostSources& host) {
  store::Statement latest = TRY(db.prepare("SELECT max(freed_at) FROM banks WHERE owner IS NULL"));
  TRY(latest.step());
  return std::max(host.now(), latest.number(0) + 1);
}

BankRecord read_record(const store::Statement& row) {
  BankRecord record;
  record.bank = bank_number(row.number(0));
  if (!row.is_null(2)) record.owner = Owner{row.text(1), row.text(2)};
  record.since = row.number(3);
  record.freed_at = row.number(4) / kNanoseconds;
  if (!row.is_null(6)) record.last_owner = Owner{row.text(5), row.text(6)};
  record.last_owner_name = row.text(7);
  return record;
}

constexpr std::string_view kColumns =
    "number, owner_kind, owner, since, freed_at, last_owner_kind, last_owner, last_owner_name";

// What freeing a bank does to its row; ?1 is the time.
constexpr std::string_view kFree =
    "UPDATE banks SET last_owner_kind = owner_kind, last_owner = owner, last_owner_name = "
    "(SELECT name FROM containers WHERE owner_kind = 'container' AND id = banks.owner), "
    "owner_kind = NULL, owner = NULL, since = NULL, freed_at = ?1 WHERE ";

// A bank of the owner's that another container uses (--userns container:NAME) is that container's from now
// on.
Result<> hand_on(store::Database& db, const Owner& owner, int64_t now) {
  store::Statement update =
      TRY(db.prepare("UPDATE banks SET last_owner_kind = owner_kind, last_owner = owner, last_owner_name = "
                     "(SELECT name FROM containers WHERE owner_kind = 'container' AND id = banks.owner), "
                     "since = ?1, owner_kind = 'container', owner = (SELECT min(container_id) FROM "
                     "container_banks WHERE bank = number AND container_id <> ?2) "
                     "WHERE owner_kind = ?3 AND owner = ?2 AND EXISTS "
                     "(SELECT 1 FROM container_banks WHERE bank = number AND container_id <> ?2)"));
  TRY(update.bind(1, now / kNanoseconds).bind(2, owner.id).bind(3, owner.kind).run());
  if (db.changes() == 0) return {};
  // An owner is no user of its own bank.
  return db.execute(
      "DELETE FROM container_banks WHERE EXISTS (SELECT 1 FROM banks WHERE number = bank AND "
      "owner_kind = 'container' AND owner = container_id)");
}

Result<std::vector<BankRecord>> list(store::Database& db, std::string_view condition) {
  store::Statement select =
      TRY(db.prepare(fmt::format("SELECT {} FROM banks WHERE {}", kColumns, condition)));
  std::vector<BankRecord> records;
  while (TRY(select.step())) records.push_back(read_record(select));
  return records;
}

}  // namespace

Result<Bank> allocate_bank(store::Database& db, const Owner& owner, const HostSources& host,
                           std::optional<int64_t> quota) {
  if (quota) TRY(check_quota(db, owner, *quota));
  const Reservations reservations =
      TRY_CONTEXT(Reservations::look(db, host), "see which IDs are in use on this host");
  Search search(reservations);
  const int64_t now = host.now();
  const std::optional<int64_t> number = TRY(choose(db, search, host.rules.rest_seconds, now));
  if (!number) return fail_pool_full(db, host.rules, search.given_up());
  TRY(hand_out(db, *number, owner, now));
  return bank_number(*number);
}

Result<int64_t> free_banks_of(store::Database& db, const Owner& owner, const HostSources& host) {
  // number breaks the tie among the banks of one owner.
  store::Statement update = TRY(db.prepare(fmt::format("{}owner_kind = ?2 AND owner = ?3", kFree)));
  const int64_t now = TRY(next_freeing_time(db, host));
  TRY(hand_on(db, owner, host.now()));
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
  const std::vector<BankRecord> found = TRY(list(db, fmt::format("number = {}", bank.number())));
  if (found.empty()) return std::nullopt;
  return found.front();
}

Result<std::vector<BankRecord>> held_banks(store::Database& db) {
  return list(db, "owner IS NOT NULL ORDER BY number");
}

Result<std::vector<BankRecord>> resting_banks(store::Database& db) {
  return list(db, "owner IS NULL ORDER BY freed_at");
}

Result<int64_t> reclaim_banks(store::Database& db) {
  store::Statement update = TRY(db.prepare(fmt::format(
      "{}owner_kind = 'container' AND NOT EXISTS (SELECT 1 FROM containers WHERE id = banks.owner)", kFree)));
  const int64_t now = TRY(next_freeing_time(db, {}));
  TRY(update.bind(1, now).run());
  return db.changes();
}

}  // namespace berth::ledger
