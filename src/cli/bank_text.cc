#include "cli/bank_text.h"

#include "cli/times.h"
#include "ledger/bank_numbers.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kShortId = 12;

Result<std::string> name_of(store::Database& db, const ledger::Owner& owner) {
  if (owner.kind != "container") return owner.id;
  store::Statement query = TRY(db.prepare("SELECT name FROM containers WHERE id = ?"));
  query.bind(1, owner.id);
  if (TRY(query.step())) return query.text(0);
  return owner.id.substr(0, kShortId);
}

Json time_or_null(int64_t seconds) {
  if (seconds == 0) return nullptr;
  return rfc3339(std::chrono::seconds(seconds));
}

}  // namespace

Result<BankView> view_bank(store::Database& db, ledger::BankRecord record) {
  BankView view;
  if (record.owner) view.owner = TRY(name_of(db, *record.owner));
  if (record.last_owner) {
    view.before =
        record.last_owner_name.empty() ? TRY(name_of(db, *record.last_owner)) : record.last_owner_name;
  }
  view.users = TRY(ledger::users_of(db, record.bank));
  view.record = std::move(record);
  return view;
}

std::string host_ids(Bank bank) {
  const idmap::IdRange ids = idmap::range_of(bank);
  return fmt::format("{}-{}", ids.begin, ids.end - 1);
}

Json bank_json(const BankView& view) {
  const ledger::BankRecord& record = view.record;
  const idmap::IdRange ids = idmap::range_of(record.bank);
  std::vector<std::string> users;
  for (const ledger::User& user : view.users) users.push_back(user.name);
  Json before = nullptr;
  if (record.last_owner) {
    before = {{"Kind", record.last_owner->kind},
              {"Id", record.last_owner->id},
              {"Name", view.before},
              {"Until", time_or_null(record.freed_at)}};
  }
  return {{"Number", ledger::number_of(record.bank)},
          {"First", ids.begin},
          {"Last", ids.end - 1},
          {"State", record.owner ? "held" : "resting"},
          {"Kind", record.owner ? record.owner->kind : ""},
          {"Owner", view.owner},
          {"OwnerId", record.owner ? record.owner->id : ""},
          {"Since", record.owner ? time_or_null(record.since) : Json(nullptr)},
          {"Users", users},
          {"Before", before}};
}

}  // namespace berth::cli
