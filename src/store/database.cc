#include "store/database.h"

#include <cerrno>
#include <chrono>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/schema.h"
#include "sys/unique_fd.h"

namespace berth::store {

namespace {
constexpr int kBusyTimeoutMs = 30'000;

bool is_damage(int rc) {
  return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB;
}

std::unexpected<Error> fail_sqlite(sqlite3* db, std::string_view doing) {
  if (is_damage(sqlite3_errcode(db))) {
    auto damaged = fail("the store's database is damaged ({})", sqlite3_errmsg(db));
    damaged.error().hint = kRebuildHint;
    return damaged;
  }
  auto failure = fail("{}: {}", doing, sqlite3_errmsg(db));
  const int code = sqlite3_errcode(db);
  const bool is_full = code == SQLITE_FULL || (code == SQLITE_IOERR && sqlite3_system_errno(db) == ENOSPC);
  if (is_full) {
    failure.error().err = ENOSPC;
    failure.error().hint = kFullDiskHint;
  } else if (code == SQLITE_READONLY) {
    failure.error().err = EROFS;
  } else if (code == SQLITE_BUSY) {
    failure.error().err = EBUSY;
  }
  return failure;
}

// Room for the next commits, which then succeed on a full disk: how a container ended is put on record, and
// `rm` can make room. It lies beyond the log's end, where nobody reads it (fallocate(2),
// FALLOC_FL_KEEP_SIZE); on a file system that knows no such thing there is none.
void reserve_log(sqlite3* db) {
  constexpr off_t kReserve = 1024 * 1024;
  const char* const path = sqlite3_filename_wal(sqlite3_db_filename(db, "main"));
  // SQLite's locks are on other files; to close one of theirs would let go of them (fcntl(2)).
  const sys::UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file && ::fallocate(file.get(), FALLOC_FL_KEEP_SIZE, 0, kReserve) != 0)
    log::debug("no room is kept for {}: {}", path, describe_errno(errno));
}

// In the place of SQLite's own, which folds the log within whatever commit makes it long.
int note_log(void* frames, sqlite3* db, const char* /*schema*/, int count) {
  constexpr int kTooLong = 1000;
  *static_cast<int*>(frames) = count;
  // Somebody else may be at it; the commit has happened in any case.
  if (count >= kTooLong) sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  return SQLITE_OK;
}
}  // namespace

Statement& Statement::bind(int index, std::string_view value) {
  // An empty view may have a null pointer, which SQLite would take for NULL.
  const char* data = value.data() == nullptr ? "" : value.data();
  bind_error_ |=
      sqlite3_bind_text64(statement_.get(), index, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}
Statement& Statement::bind(int index, int64_t value) {
  bind_error_ |= sqlite3_bind_int64(statement_.get(), index, value);
  return *this;
}
Statement& Statement::bind_null(int index) {
  bind_error_ |= sqlite3_bind_null(statement_.get(), index);
  return *this;
}
Statement& Statement::bind(int index, const std::optional<std::string>& value) {
  return value ? bind(index, std::string_view(*value)) : bind_null(index);
}

Result<bool> Statement::step() {
  sqlite3* db = sqlite3_db_handle(statement_.get());
  if (bind_error_ != 0) return fail("bind a value: {}", sqlite3_errstr(bind_error_));
  const int rc = sqlite3_step(statement_.get());
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  return fail_sqlite(db, "the store's database");
}

Result<> Statement::run() {
  TRY(step());
  return {};
}

Result<std::vector<std::string>> Statement::texts() {
  std::vector<std::string> texts;
  while (TRY(step())) texts.push_back(text(0));
  return texts;
}

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (data == nullptr) return {};
  return {data, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}
int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}
bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Result<Database> Database::open(const std::string& path, const std::function<Result<>()>& before_new) {
  // Counting what is allocated takes a lock each time. Too late if another database is open, which is no
  // harm.
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
  const int rc = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Database db(raw);
  if (rc != SQLITE_OK) return fail("open the store's database {}: {}", path, sqlite3_errstr(rc));
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  // Closing would otherwise fold the log into the file each time a short-lived command is the only one.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  TRY(db.execute("PRAGMA synchronous=FULL"));
  sqlite3_wal_hook(raw, note_log, db.log_frames_.get());
  TRY_CONTEXT(db.migrate(before_new), "the store's database {}", path);
  return db;
}

Result<int64_t> Database::version() {
  Statement statement = TRY(prepare("PRAGMA user_version"));
  TRY(statement.step());
  return statement.number(0);
}

// SQLite does not wait by itself where several processes turn the same new file over at the same time.
Result<> Database::use_log() {
  constexpr std::chrono::milliseconds kPause{2};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kBusyTimeoutMs);
  while (true) {
    const int rc = sqlite3_exec(db_.get(), "PRAGMA journal_mode=WAL", nullptr, nullptr, nullptr);
    if (rc == SQLITE_OK) return {};
    if (rc != SQLITE_BUSY || std::chrono::steady_clock::now() > deadline)
      return fail_sqlite(db_.get(), "the store's database");
    std::this_thread::sleep_for(kPause);
  }
}

Result<> Database::migrate(const std::function<Result<>()>& before_new) {
  const int64_t found = TRY(version());
  if (found == kSchemaVersion) return {};
  if (found > kSchemaVersion) {
    return fail("it was written by a newer berth (schema {}, this one knows {})", found, kSchemaVersion);
  }
  TRY(use_log());
  Transaction transaction = TRY(Transaction::begin(*this));
  const int64_t now = TRY(version());
  if (now < 1 && before_new) TRY(before_new());
  if (now < 1) TRY(execute(kSchema));
  if (now < 2) TRY(execute(kSchema2));
  if (now < 3) TRY(execute(kSchema3));
  TRY(execute(fmt::format("PRAGMA user_version={}", kSchemaVersion).c_str()));
  TRY(transaction.commit());
  reserve_log(db_.get());
  return {};
}

Result<bool> Database::is_whole(const std::string& path) {
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
  const int opened = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Database db(raw);
  if (opened == SQLITE_CANTOPEN && ::access(path.c_str(), F_OK) != 0) return false;
  if (opened != SQLITE_OK) return fail("open the store's database {}: {}", path, sqlite3_errstr(opened));
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  const auto look = [&]() -> Result<bool> {
    Statement check = TRY(db.prepare("PRAGMA integrity_check(1)"));
    TRY(check.step());
    if (check.text(0) != "ok") return false;
    const int64_t found = TRY(db.version());
    if (found > kSchemaVersion) {
      return fail("it was written by a newer berth (schema {}, this one knows {})", found, kSchemaVersion);
    }
    return found > 0;
  };
  Result<bool> whole = look();
  if (!whole && is_damage(sqlite3_errcode(raw))) return false;
  return whole;
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int rc = sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (rc != SQLITE_OK) return fail_sqlite(db_.get(), "prepare a statement");
  return Statement(statement);
}

Result<> Database::execute(const char* sql) {
  if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return fail_sqlite(db_.get(), "the store's database");
  }
  return {};
}

Database::~Database() {
  constexpr int kLong = 64;
  if (db_) fold_log_beyond(kLong);
}

void Database::fold_log() {
  constexpr int kWorthIt = 32;
  fold_log_beyond(kWorthIt);
}

// The log is emptied as well: that all of it has been taken over is remembered by the processes that have the
// database open, and where there is none the next one reads, and folds, all that is in the file. What can't
// be done now, because somebody reads or writes, is done by the next one.
void Database::fold_log_beyond(int frames) {
  if (*log_frames_ < frames) return;
  sqlite3_busy_timeout(db_.get(), 0);
  const int folded =
      sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (folded == SQLITE_OK) reserve_log(db_.get());
  sqlite3_busy_timeout(db_.get(), kBusyTimeoutMs);
  *log_frames_ = 0;
}

Result<> Database::relax_durability() {
  return execute("PRAGMA synchronous=NORMAL");
}

int64_t Database::changes() const {
  return sqlite3_changes64(db_.get());
}

Result<Transaction> Transaction::begin(Database& db) {
  TRY(db.execute("BEGIN IMMEDIATE"));
  return Transaction(db);
}

Result<> Transaction::commit() {
  TRY(db_->execute("COMMIT"));
  db_ = nullptr;
  return {};
}

Transaction::~Transaction() {
  // A failed rollback has nothing to undo: SQLite had rolled back already.
  if (db_ != nullptr) [[maybe_unused]]
    const Result<> rolled_back = db_->execute("ROLLBACK");
}

}  // namespace berth::store
