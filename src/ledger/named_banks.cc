#include "ledger/named_banks.h"

#include "base/clock.h"
#include "base/nearest.h"
#include "idmap/id_map.h"
#include "ledger/bank_uses.h"
#include "ledger/host_ranges.h"

namespace berth::ledger {

namespace {

Owner owner_named(std::string_view name) {
  return {std::string(kNameKind), std::string(name)};
}

std::unexpected<Error> no_such_name(store::Database& db, std::string_view name) {
  Error error{Code::not_found, 0, fmt::format("there is no bank \"{}\"", name), {}};
  const Result<std::vector<std::string>> names = bank_names(db);
  if (!names) return std::unexpected(names.error());
  const std::vector<std::string_view> views(names->begin(), names->end());
  const std::string_view near = nearest(name, views);
  error.hint = near.empty()
                   ? fmt::format("`berth bank create {}` makes it.", name)
                   : fmt::format("Did you mean {}? `berth bank create {}` makes a new one.", near, name);
  return std::unexpected(std::move(error));
}

// Somebody else's bank in the place of a number.
std::unexpected<Error> held_by_other(store::Database& db, uint32_t number, const Owner& owner) {
  const Result<std::string> who = describe_owner(db, owner);
  if (!who) return std::unexpected(who.error());
  Error error{Code::conflict, 0, fmt::format("bank {} is held by {}", number, *who), {}};
  error.hint = owner.kind == kNameKind ? fmt::format("`--bank {}` shares it.", owner.id)
                                       : "Choose another number: `berth bank ls` shows which are held.";
  return std::unexpected(std::move(error));
}

// Nobody but its last owner gets a bank that has not rested for long enough.
Result<> check_rest(store::Database& db, uint32_t number, const BankRecord& record, const Owner& owner,
                    const HostSources& host) {
  constexpr int64_t kMinute = 60;
  if (!record.last_owner || *record.last_owner == owner) return {};
  const int64_t left = record.freed_at + host.rules.rest_seconds - host.now() / kNanoseconds;
  // A time of freeing that lies in the future is from before the clock was set back.
  if (left <= 0 || left > host.rules.rest_seconds) return {};
  const std::string last = record.last_owner_name.empty() ? TRY(describe_owner(db, *record.last_owner))
                                                          : "container " + record.last_owner_name;
  Error error{Code::conflict,
              0,
              fmt::format("bank {} rests for another {} minutes: {} had it before", number,
                          (left + kMinute - 1) / kMinute, last),
              {}};
  return std::unexpected(std::move(error).with_hint(
      "Processes and files of its last owner may still be found meanwhile; choose another number."));
}

Result<> check_others(store::Database& db, uint32_t number, const Reservations& reservations,
                      const HostSources& host) {
  const Bank bank = bank_of_number(number);
  if (!reservations.holds(bank)) return {};
  const idmap::IdRange ids = idmap::range_of(bank);
  const std::optional<std::string> holder = TRY(find_holder(db, IdKind::both, ids, host));
  Error error{Code::conflict,
              0,
              fmt::format("bank {} (host IDs {}-{}) is in use: {}", number, ids.begin, ids.end - 1,
                          holder.value_or("by somebody on this host")),
              {}};
  return std::unexpected(
      std::move(error).with_hint("Choose another number: `berth bank ls` shows which banks are held."));
}

// The bank with this number, made the owner's if nobody has it.
Result<Bank> claim_number(store::Database& db, uint32_t number, const Owner& owner,
                          const Reservations& reservations, const HostSources& host) {
  const Bank bank = bank_of_number(number);
  const std::optional<BankRecord> record = TRY(find_bank(db, bank));
  if (record && record->owner) {
    if (*record->owner == owner) return bank;
    return held_by_other(db, number, *record->owner);
  }
  TRY(check_others(db, number, reservations, host));
  if (record) TRY(check_rest(db, number, *record, owner, host));
  if (const std::optional<BankRange> fresh = TRY(fresh_range_of(db, bank.number())))
    TRY(use_up(db, *fresh, bank.number()));
  TRY(hand_out(db, bank.number(), owner, host.now()));
  return bank;
}

// `name` empty: each bank is called by its number.
Result<std::vector<Bank>> claim_numbers(store::Database& db, const BankWord& word, std::string_view name,
                                        const HostSources& host) {
  const Reservations reservations =
      TRY_CONTEXT(Reservations::look(db, host), "see which IDs are in use on this host");
  std::vector<Bank> banks;
  for (uint32_t number = word.first; number <= word.last; ++number) {
    const Owner owner = owner_named(name.empty() ? std::to_string(number) : std::string(name));
    banks.push_back(TRY(claim_number(db, number, owner, reservations, host)));
  }
  return banks;
}

std::unexpected<Error> taken(std::string_view name) {
  Error error{Code::conflict, 0, fmt::format("there is a bank \"{}\" already", name), {}};
  return std::unexpected(std::move(error).with_hint(
      fmt::format("`--bank {0}` shares it; `berth bank inspect {0}` tells more.", name)));
}

Result<> check_new_name(store::Database& db, std::string_view name) {
  const BankWord word = TRY(parse_bank_word(name));
  if (word.name.empty()) {
    return fail(Code::usage, "\"{}\" can't be a bank's name: it is a number, and banks have numbers already",
                name);
  }
  if (TRY(banks_of(db, owner_named(name))).empty()) return {};
  return taken(name);
}

Result<> remove_one(store::Database& db, std::string_view name, const HostSources& host) {
  const Owner owner = owner_named(name);
  const std::vector<Bank> banks = TRY(banks_of(db, owner));
  if (banks.empty()) return no_such_name(db, name);
  std::vector<std::string> users;
  for (const Bank bank : banks) {
    for (const User& user : TRY(users_of(db, bank))) {
      if (users.empty() || users.back() != user.name) users.push_back(user.name);
    }
  }
  if (!users.empty()) {
    Error error{Code::conflict,
                0,
                fmt::format("bank {} is used by container{} {}", name, users.size() == 1 ? "" : "s",
                            fmt::join(users, ", ")),
                {}};
    return std::unexpected(
        std::move(error).with_hint("A container keeps its banks until it is removed: `berth rm` first."));
  }
  TRY(free_banks_of(db, owner, host));
  return {};
}

}  // namespace

Result<std::vector<Bank>> claim_banks(store::Database& db, std::string_view what, const HostSources& host) {
  const BankWord word = TRY(parse_bank_word(what));
  if (word.name.empty()) return claim_numbers(db, word, {}, host);
  return find_banks(db, what);
}

Result<std::vector<Bank>> find_banks(store::Database& db, std::string_view what) {
  const BankWord word = TRY(parse_bank_word(what));
  if (!word.name.empty()) {
    std::vector<Bank> banks = TRY(banks_of(db, owner_named(word.name)));
    if (banks.empty()) return no_such_name(db, word.name);
    return banks;
  }
  std::vector<Bank> banks;
  for (uint32_t number = word.first; number <= word.last; ++number) {
    const std::string name = std::to_string(number);
    if (TRY(banks_of(db, owner_named(name))).empty()) {
      return fail(Code::not_found, "nobody has asked for bank {} yet", name);
    }
    banks.push_back(bank_of_number(number));
  }
  return banks;
}

Result<std::vector<Bank>> create_named_banks(store::Database& db, std::string_view name, int64_t count,
                                             const HostSources& host) {
  TRY(check_new_name(db, name));
  if (count < 1 || count > static_cast<int64_t>(idmap::IdMap::kMaxExtents)) {
    return fail(Code::usage, "{} banks for one name: it is 1 to {}, what a container's map can have", count,
                idmap::IdMap::kMaxExtents);
  }
  std::vector<Bank> banks;
  for (int64_t i = 0; i < count; ++i) banks.push_back(TRY(allocate_bank(db, owner_named(name), host)));
  return banks;
}

Result<std::vector<Bank>> create_numbered_banks(store::Database& db, std::string_view numbers,
                                                const HostSources& host) {
  const BankWord word = TRY(parse_bank_word(numbers));
  if (!word.name.empty()) return fail(Code::usage, "\"{}\" is no number of a bank", numbers);
  for (uint32_t number = word.first; number <= word.last; ++number) {
    if (!TRY(banks_of(db, owner_named(std::to_string(number)))).empty()) return taken(std::to_string(number));
  }
  return claim_numbers(db, word, {}, host);
}

Result<std::vector<Bank>> create_named_at(store::Database& db, std::string_view name,
                                          std::string_view numbers, const HostSources& host) {
  TRY(check_new_name(db, name));
  const BankWord word = TRY(parse_bank_word(numbers));
  if (!word.name.empty()) return fail(Code::usage, "\"{}\" is no number of a bank", numbers);
  return claim_numbers(db, word, name, host);
}

Result<> remove_named_banks(store::Database& db, std::string_view what, const HostSources& host) {
  const BankWord word = TRY(parse_bank_word(what));
  if (!word.name.empty()) return remove_one(db, word.name, host);
  TRY(find_banks(db, what));
  for (uint32_t number = word.first; number <= word.last; ++number)
    TRY(remove_one(db, std::to_string(number), host));
  return {};
}

Result<std::vector<std::string>> bank_names(store::Database& db) {
  store::Statement query = TRY(
      db.prepare("SELECT owner FROM banks WHERE owner_kind = 'name' GROUP BY owner ORDER BY min(number)"));
  return query.texts();
}

}  // namespace berth::ledger
