#include "store/containers.h"

#include "base/nearest.h"
#include "store/container_name.h"

namespace berth::store {

namespace {

constexpr std::string_view kColumns =
    "id, name, image_id, image_name, created_at, spec, state, started_at, finished_at, exit_status, "
    "exit_reason, remove_on_exit, uid_map, gid_map, project, oom_killed, restart_count, restart_delay, "
    "stopped_by_user";

ContainerRecord read_row(const Statement& row) {
  const auto optional = [&](int column) {
    return row.is_null(column) ? std::nullopt : std::optional(row.number(column));
  };
  return {.id = row.text(0),
          .name = row.text(1),
          .image_id = row.text(2),
          .image_name = row.text(3),
          .created_at = row.number(4),
          .spec = row.text(5),
          .state = row.text(6),
          .started_at = optional(7),
          .finished_at = optional(8),
          .exit_status = optional(9),
          .exit_reason = row.text(10),
          .remove_on_exit = row.number(11) != 0,
          .uid_map = row.text(12),
          .gid_map = row.text(13),
          .project = row.text(14),
          .oom_killed = row.number(15) != 0,
          .restart_count = row.number(16),
          .restart_delay = row.number(17),
          .stopped_by_user = row.number(18) != 0};
}

std::unexpected<Error> no_such_container(Database& db, std::string_view word) {
  Error error{Code::not_found, 0, fmt::format("there is no container \"{}\"", word), {}};
  std::vector<std::string> names;
  if (Result<Statement> query = db.prepare("SELECT name FROM containers LIMIT 1000")) {
    for (Result<bool> row = query->step(); row && *row; row = query->step()) names.push_back(query->text(0));
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view near = nearest(word, views);
  error.hint =
      near.empty() ? "`berth ps --all` lists the containers." : fmt::format("Did you mean {}?", near);
  return std::unexpected(std::move(error));
}

bool is_hexadecimal(std::string_view word) {
  return word.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Result<> insert_container(Database& db, const ContainerRecord& record) {
  TRY(check_name_is_free(db, record.name, "--name"));
  Statement insert = TRY(db.prepare(
      "INSERT INTO containers (id, name, image_id, image_name, created_at, spec, state, remove_on_exit, "
      "uid_map, gid_map, project) VALUES (?, ?, ?, ?, ?, ?, ?, ?, nullif(?, ''), nullif(?, ''), nullif(?, "
      "''))"));
  insert.bind(1, record.id).bind(2, record.name).bind(3, record.image_id).bind(4, record.image_name);
  insert.bind(5, record.created_at).bind(6, record.spec).bind(7, record.state);
  insert.bind(8, int64_t{record.remove_on_exit ? 1 : 0});
  insert.bind(9, record.uid_map).bind(10, record.gid_map).bind(11, record.project);
  return insert.run();
}

Result<ContainerRecord> find_container(Database& db, std::string_view word) {
  Statement exact =
      TRY(db.prepare(fmt::format("SELECT {} FROM containers WHERE name = ?1 OR id = ?1", kColumns)));
  exact.bind(1, word);
  if (TRY(exact.step())) return read_row(exact);
  if (word.empty() || !is_hexadecimal(word)) return no_such_container(db, word);
  // The ids that begin with `word` are those from it up to the first that sorts after all of them.
  Statement prefix = TRY(db.prepare(
      fmt::format("SELECT {} FROM containers WHERE id >= ?1 AND id < ?1 || 'g' LIMIT 2", kColumns)));
  prefix.bind(1, word);
  if (!TRY(prefix.step())) return no_such_container(db, word);
  ContainerRecord found = read_row(prefix);
  if (TRY(prefix.step())) {
    Error error{
        Code::conflict, 0, fmt::format("several containers have an ID that begins with {}", word), {}};
    return std::unexpected(std::move(error).with_hint("Give more of the ID, or the container's name."));
  }
  return found;
}

Result<std::vector<ContainerRecord>> list_containers(Database& db, std::string_view state) {
  Statement query = TRY(db.prepare(fmt::format("SELECT {} FROM containers {} ORDER BY created_at DESC",
                                               kColumns, state.empty() ? "" : "WHERE state = ?1")));
  if (!state.empty()) query.bind(1, state);
  std::vector<ContainerRecord> records;
  while (TRY(query.step())) records.push_back(read_row(query));
  return records;
}

Result<std::vector<std::string>> list_unfinished_containers(Database& db) {
  Statement query = TRY(db.prepare(
      "SELECT id FROM containers WHERE state IN ('created', 'running', 'restarting', 'removing')"));
  return query.texts();
}

Result<std::vector<std::string>> list_container_ids(Database& db) {
  Statement query = TRY(db.prepare("SELECT id FROM containers ORDER BY id"));
  return query.texts();
}

Result<> set_container_started(Database& db, std::string_view id, int64_t started_at) {
  Statement update = TRY(db.prepare(
      "UPDATE containers SET state = 'running', started_at = ?2, finished_at = NULL, exit_status = NULL, "
      "exit_reason = NULL, oom_killed = 0 WHERE id = ?1"));
  return update.bind(1, id).bind(2, started_at).run();
}

Result<> confirm_container_started(Database& db, std::string_view id, int64_t started_at) {
  Statement update =
      TRY(db.prepare("UPDATE containers SET state = 'running', started_at = ?2 WHERE id = ?1 AND "
                     "state IN ('created', 'running') AND ifnull(started_at, ?2) <= ?2"));
  return update.bind(1, id).bind(2, started_at).run();
}

Result<> set_container_exited(Database& db, std::string_view id, std::optional<int64_t> status,
                              int64_t finished_at, std::string_view reason) {
  Statement update =
      TRY(db.prepare("UPDATE containers SET state = 'exited', exit_status = ?2, finished_at = ?3, "
                     "exit_reason = ?4 WHERE id = ?1"));
  update.bind(1, id).bind(3, finished_at).bind(4, reason);
  if (status) {
    update.bind(2, *status);
  } else {
    update.bind_null(2);
  }
  return update.run();
}

Result<> set_container_oom_killed(Database& db, std::string_view id) {
  Statement update = TRY(db.prepare("UPDATE containers SET oom_killed = 1 WHERE id = ?"));
  return update.bind(1, id).run();
}

Result<> set_container_spec(Database& db, std::string_view id, std::string_view spec) {
  Statement update = TRY(db.prepare("UPDATE containers SET spec = ?2 WHERE id = ?1"));
  return update.bind(1, id).bind(2, spec).run();
}

Result<> set_container_restarting(Database& db, std::string_view id, int64_t count, int64_t delay) {
  Statement update = TRY(db.prepare(
      "UPDATE containers SET state = 'restarting', restart_count = ?2, restart_delay = ?3 WHERE id = ?1"));
  return update.bind(1, id).bind(2, count).bind(3, delay).run();
}

Result<> forget_container_restarts(Database& db, std::string_view id) {
  Statement update = TRY(db.prepare(
      "UPDATE containers SET restart_count = 0, restart_delay = 0, stopped_by_user = 0 WHERE id = ?1 "
      "AND (restart_count <> 0 OR restart_delay <> 0 OR stopped_by_user <> 0)"));
  return update.bind(1, id).run();
}

Result<> set_container_stopped(Database& db, std::string_view id) {
  Statement update = TRY(db.prepare("UPDATE containers SET stopped_by_user = 1 WHERE id = ?1"));
  return update.bind(1, id).run();
}

Result<> set_container_removing(Database& db, std::string_view id) {
  Statement update = TRY(db.prepare("UPDATE containers SET state = 'removing' WHERE id = ?"));
  return update.bind(1, id).run();
}

Result<> delete_container(Database& db, std::string_view id) {
  for (const char* sql :
       {"DELETE FROM container_volumes WHERE container_id = ?", "DELETE FROM containers WHERE id = ?"}) {
    Statement statement = TRY(db.prepare(sql));
    TRY(statement.bind(1, id).run());
  }
  return {};
}

}  // namespace berth::store
