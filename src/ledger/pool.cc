#include "ledger/pool.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "ledger/bank_numbers.h"

namespace berth::ledger {

namespace {

struct Usage {
  int64_t banks = 0;  // that the rules allow
  int64_t held = 0;
  std::string by_kind;  // "28000 by containers (12000 of them by stopped ones), 12 by projects"
  std::string largest;  // "5 by project web"; empty where nobody holds more than one
};

bool lies_in(Bank bank, const std::vector<idmap::IdRange>& ranges) {
  const idmap::IdRange ids = idmap::range_of(bank);
  return std::any_of(ranges.begin(), ranges.end(), [&](const idmap::IdRange& range) {
    return range.begin <= ids.begin && ids.end <= range.end;
  });
}

int64_t count_allowed(const PoolRules& rules) {
  if (!rules.allowed) return kPoolBanks;
  int64_t count = 0;
  for (uint32_t i = 0; i < kPoolBanks; ++i) count += lies_in(bank_of_number(i), *rules.allowed) ? 1 : 0;
  return count;
}

// How many banks of whom, of those that the rules allow.
class Holders {
 public:
  void add(const Owner& owner, bool stopped) {
    ++of_kind_[owner.kind];
    ++of_owner_[{owner.kind, owner.id}];
    if (stopped) ++of_stopped_;
  }
  [[nodiscard]] std::string by_kind() const {
    std::vector<std::pair<int64_t, std::string>> kinds;
    for (const auto& [kind, count] : of_kind_) kinds.emplace_back(-count, kind);
    std::sort(kinds.begin(), kinds.end());
    std::string text;
    for (const auto& [count, kind] : kinds) {
      text += fmt::format("{}{} by {}s", text.empty() ? "" : ", ", -count, kind);
      if (kind == "container" && of_stopped_ > 0)
        text += fmt::format(" ({} of them by stopped ones)", of_stopped_);
    }
    return text;
  }
  Result<std::string> largest(store::Database& db) const {
    const auto most = std::max_element(of_owner_.begin(), of_owner_.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most == of_owner_.end() || most->second < 2) return std::string();
    const std::string owner = TRY(describe_owner(db, {most->first.first, most->first.second}));
    return fmt::format("{} by {}", most->second, owner);
  }

 private:
  std::map<std::string, int64_t> of_kind_;
  std::map<std::pair<std::string, std::string>, int64_t> of_owner_;
  int64_t of_stopped_ = 0;
};

Result<Usage> usage(store::Database& db, const PoolRules& rules) {
  Usage found{.banks = count_allowed(rules)};
  Holders holders;
  store::Statement held =
      TRY(db.prepare("SELECT number, owner_kind, owner, state <> 'running' FROM banks LEFT JOIN containers "
                     "ON owner_kind = 'container' AND containers.id = banks.owner WHERE owner IS NOT NULL"));
  while (TRY(held.step())) {
    if (rules.allowed && !lies_in(Bank(static_cast<uint16_t>(held.number(0))), *rules.allowed)) continue;
    ++found.held;
    holders.add({held.text(1), held.text(2)}, held.number(3) != 0);
  }
  found.by_kind = holders.by_kind();
  found.largest = TRY(holders.largest(db));
  return found;
}

std::unexpected<Error> fail_nothing_allowed(const PoolRules& rules) {
  Error error{
      Code::refused,
      0,
      fmt::format("no bank of user IDs is allowed by the policy: {}, and no bank of the pool lies wholly "
                  "in them",
                  rules.allowed_by),
      {}};
  return std::unexpected(std::move(error).with_hint(fmt::format(
      "A bank is {} IDs from a multiple of that, from {} to {}. `berth config` shows the policy; other "
      "IDs that it allows can be named with --uidmap and --gidmap.",
      kBankSize, idmap::range_of(kFirstBank).begin, idmap::range_of(kLastBank).end - 1)));
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

std::unexpected<Error> fail_pool_full(store::Database& db, const PoolRules& rules,
                                      bool name_service_gave_up) {
  const Result<Usage> held = usage(db, rules);
  if (!held) return std::unexpected(held.error());
  if (held->banks == 0) return fail_nothing_allowed(rules);
  std::string message = fmt::format("no bank of user IDs is free{}: {} of {} are held",
                                    rules.allowed ? " that the policy allows" : "", held->held, held->banks);
  if (!held->by_kind.empty()) message += ", " + held->by_kind;
  if (!held->largest.empty()) message += fmt::format(" (most: {})", held->largest);
  std::string hint =
      "A stopped container keeps its bank until it is removed: see `berth bank ls`, `berth ps --all` and "
      "`berth rm`.";
  if (held->held != held->banks) {
    message += name_service_gave_up
                   ? ", and the host's name service has a user for each of the others that were tried"
                   : ", and the others are in use by users, subordinate ID ranges or running user namespaces";
    hint =
        "Remove containers (`berth ps --all`, `berth rm`), or free IDs from 524288 to 1879048191 in "
        "/etc/subuid and /etc/subgid; a line there with the name \"berth\" keeps a range for berth.";
  }
  if (rules.allowed) message += fmt::format("; {}", rules.allowed_by);
  return std::unexpected(Error{Code::conflict, 0, std::move(message), std::move(hint)});
}

}  // namespace berth::ledger
