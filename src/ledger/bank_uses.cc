#include "ledger/bank_uses.h"

namespace berth::ledger {

Result<> record_use(store::Database& db, std::string_view container, Bank bank) {
  store::Statement insert =
      TRY(db.prepare("INSERT OR IGNORE INTO container_banks (container_id, bank) VALUES (?, ?)"));
  return insert.bind(1, container).bind(2, int64_t{bank.number()}).run();
}

Result<> forget_uses(store::Database& db, std::string_view container) {
  for (const char* sql : {"DELETE FROM container_banks WHERE container_id = ?",
                          "DELETE FROM container_ranges WHERE container_id = ?"}) {
    store::Statement statement = TRY(db.prepare(sql));
    TRY(statement.bind(1, container).run());
  }
  return {};
}

Result<std::vector<User>> users_of(store::Database& db, Bank bank) {
  store::Statement query = TRY(
      db.prepare("SELECT id, name FROM container_banks JOIN containers ON id = container_id WHERE bank = ? "
                 "ORDER BY name"));
  query.bind(1, int64_t{bank.number()});
  std::vector<User> users;
  while (TRY(query.step())) users.push_back({query.text(0), query.text(1)});
  return users;
}

Result<std::vector<Bank>> banks_used_by(store::Database& db, std::string_view container) {
  store::Statement query =
      TRY(db.prepare("SELECT bank FROM container_banks WHERE container_id = ? ORDER BY bank"));
  query.bind(1, container);
  std::vector<Bank> banks;
  while (TRY(query.step())) banks.emplace_back(static_cast<uint16_t>(query.number(0)));
  return banks;
}

Result<std::map<std::string, std::vector<Bank>>> banks_of_containers(store::Database& db) {
  std::map<std::string, std::vector<Bank>> banks;
  for (const char* sql :
       {"SELECT owner, number FROM banks WHERE owner_kind = 'container' ORDER BY owner, since, number",
        "SELECT container_id, bank FROM container_banks ORDER BY container_id, bank"}) {
    store::Statement query = TRY(db.prepare(sql));
    while (TRY(query.step())) banks[query.text(0)].emplace_back(static_cast<uint16_t>(query.number(1)));
  }
  return banks;
}

}  // namespace berth::ledger
