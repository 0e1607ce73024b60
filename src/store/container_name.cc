#include "store/container_name.h"

namespace berth::store {

Result<> check_name_is_free(Database& db, const std::string& name, std::string_view where) {
  Statement taken = TRY(db.prepare("SELECT id FROM containers WHERE name = ?"));
  taken.bind(1, name);
  if (!TRY(taken.step())) return {};
  Error error{Code::conflict,
              0,
              fmt::format("the name \"{}\" is in use by container {}", name, taken.text(0).substr(0, 12)),
              {}};
  error.hint = fmt::format("`berth rm {}` removes that container, or choose another {}.", name, where);
  return std::unexpected(std::move(error));
}

Result<> set_container_name(Database& db, std::string_view id, const std::string& name) {
  TRY(check_name_is_free(db, name, "name"));
  Statement update = TRY(db.prepare("UPDATE containers SET name = ?2 WHERE id = ?1"));
  return update.bind(1, id).bind(2, name).run();
}

}  // namespace berth::store
