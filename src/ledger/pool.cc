#include "ledger/pool.h"

#include "base/clock.h"
#include "ledger/bank_numbers.h"

namespace berth::ledger {

namespace {

struct Usage {
  int64_t held = 0;
  std::string by_kind;  // "28000 by containers (12000 of them stopped), 12 by projects"
  std::string largest;  // "5 by project web"; empty where nobody holds more than one
};

Result<int64_t> banks_of_stopped_containers(store::Database& db) {
  store::Statement stopped =
      TRY(db.prepare("SELECT count(*) FROM banks JOIN containers ON containers.id = banks.owner "
                     "WHERE owner_kind = 'container' AND state <> 'running'"));
  TRY(stopped.step());
  return stopped.number(0);
}

Result<Usage> usage(store::Database& db) {
  Usage found;
  store::Statement kinds = TRY(db.prepare(
      "SELECT owner_kind, count(*) FROM banks WHERE owner IS NOT NULL GROUP BY owner_kind ORDER BY 2 DESC"));
  while (TRY(kinds.step())) {
    found.held += kinds.number(1);
    const std::string_view separator = found.by_kind.empty() ? "" : ", ";
    found.by_kind += fmt::format("{}{} by {}s", separator, kinds.number(1), kinds.text(0));
    if (kinds.text(0) != "container") continue;
    const int64_t stopped = TRY(banks_of_stopped_containers(db));
    if (stopped > 0) found.by_kind += fmt::format(" ({} of them by stopped ones)", stopped);
  }
  store::Statement most =
      TRY(db.prepare("SELECT owner_kind, owner, count(*) FROM banks WHERE owner IS NOT NULL "
                     "GROUP BY owner_kind, owner ORDER BY 3 DESC LIMIT 1"));
  if (TRY(most.step()) && most.number(2) > 1) {
    const std::string owner = TRY(describe_owner(db, {most.text(0), most.text(1)}));
    found.largest = fmt::format("{} by {}", most.number(2), owner);
  }
  return found;
}

}  // namespace

Result<std::optional<BankRange>> fresh_range_of(store::Database& db, int64_t number) {
  store::Statement query =
      TRY(db.prepare("SELECT first, last FROM fresh_banks WHERE first <= ? ORDER BY first DESC LIMIT 1"));
  query.bind(1, number);
  if (!TRY(query.step()) || query.number(1) < number) return std::nullopt;
  return BankRange{query.number(0), query.number(1)};
}

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

Result<> hand_out(store::Database& db, int64_t number, const Owner& owner, int64_t now) {
  store::Statement give =
      TRY(db.prepare("INSERT INTO banks (number, owner_kind, owner, since) VALUES (?1, ?2, ?3, ?4) "
                     "ON CONFLICT (number) DO UPDATE SET owner_kind = ?2, owner = ?3, since = ?4"));
  return give.bind(1, number).bind(2, owner.kind).bind(3, owner.id).bind(4, now / kNanoseconds).run();
}

Result<std::string> describe_owner(store::Database& db, const Owner& owner) {
  if (owner.kind == kNameKind) {
    return fmt::format("the {} {}", is_bank_number(owner.id) ? "number" : "name", owner.id);
  }
  if (owner.kind != "container") return fmt::format("{} {}", owner.kind, owner.id);
  constexpr size_t kShortId = 12;
  store::Statement query = TRY(db.prepare("SELECT name FROM containers WHERE id = ?"));
  query.bind(1, owner.id);
  const bool known = TRY(query.step());
  return fmt::format("container {}", known ? query.text(0) : owner.id.substr(0, kShortId));
}

std::unexpected<Error> fail_pool_full(store::Database& db, bool name_service_gave_up) {
  const Result<Usage> held = usage(db);
  if (!held) return std::unexpected(held.error());
  std::string message = fmt::format("no bank of user IDs is free: {} of {} are held", held->held, kPoolBanks);
  if (!held->by_kind.empty()) message += ", " + held->by_kind;
  if (!held->largest.empty()) message += fmt::format(" (most: {})", held->largest);
  Error error{Code::conflict, 0, std::move(message), {}};
  if (held->held == kPoolBanks) {
    return std::unexpected(std::move(error).with_hint(
        "A stopped container keeps its bank until it is removed: see `berth bank ls`, `berth ps --all` and "
        "`berth rm`."));
  }
  error.message +=
      name_service_gave_up
          ? ", and the host's name service has a user for each of the others that were tried"
          : ", and the others are in use by users, subordinate ID ranges or running user namespaces";
  return std::unexpected(std::move(error).with_hint(
      "Remove containers (`berth ps --all`, `berth rm`), or free IDs from 524288 to 1879048191 in "
      "/etc/subuid "
      "and /etc/subgid; a line there with the name \"berth\" keeps a range for berth."));
}

}  // namespace berth::ledger
