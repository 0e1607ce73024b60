// SQLite with Results: one connection, prepared statements, transactions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sqlite3.h>

#include "base/error.h"

namespace berth::store {

class Database;

// The way out of a database that is damaged or gone.
inline constexpr const char* kRebuildHint =
    "`berth system repair --rebuild` makes a new one from what is in the store; if there is a backup of "
    "berth.db, "
    "put that back instead.";

// A prepared statement. Parameters count from 1, columns from 0, as in SQLite. A bind that fails (out of
// memory) makes the next step() fail.
class Statement {
 public:
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, const std::string& text) { return bind(index, std::string_view(text)); }
  Statement& bind(int index, int64_t number);
  Statement& bind_null(int index);
  Statement& bind(int index, const std::optional<std::string>& text);

  // True if there is a row to read, false at the end.
  Result<bool> step();
  // Runs a statement that gives no rows.
  Result<> run();
  // The first column of all rows that are left.
  Result<std::vector<std::string>> texts();
  // Back to the start, so that it can be bound and stepped again.
  void reset() { sqlite3_reset(statement_.get()); }

  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] int64_t number(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bind_error_ = 0;
};

// One connection. Commits are durable when they return (WAL, synchronous=FULL). Not for use by several
// threads.
class Database {
 public:
  Database(Database&&) = default;
  Database& operator=(Database&&) = delete;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // Opens `path`, made with the schema if it is not there (mode 0600). Refuses a file with a newer schema.
  // `before_new` may refuse that a new one is made; it is asked while nobody else can make it.
  static Result<Database> open(const std::string& path, const std::function<Result<>()>& before_new = {});

  // Whether `path` is a whole database with this version's schema or an older one. False also if it is not
  // there. An error where that can't be found out, or the schema is newer. Reads all of it.
  static Result<bool> is_whole(const std::string& path);

  Result<Statement> prepare(std::string_view sql);
  Result<> execute(const char* sql);
  // From here on this connection's commits survive the death of any process but, the last ones, not that of
  // the machine (synchronous=NORMAL): enough for what a reboot ends anyway. The database stays consistent.
  Result<> relax_durability();
  // Takes what is in the write-ahead log over into the file, if it has become long: the next process to come
  // has to read it. Waits for the disk, so it is for a moment when nobody waits for this process. Happens at
  // the end in any case once the log is twice as long.
  void fold_log();
  // Rows that the last statement changed.
  [[nodiscard]] int64_t changes() const;

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  explicit Database(sqlite3* db) : db_(db) {}
  void fold_log_beyond(int frames);
  Result<> use_log();
  Result<> migrate(const std::function<Result<>()>& before_new);
  Result<int64_t> version();
  std::unique_ptr<int> log_frames_ = std::make_unique<int>(0);  // of the log after the last commit
  std::unique_ptr<sqlite3, Close> db_;
};

// BEGIN IMMEDIATE … COMMIT: one writer at a time; others wait (up to 30 s). Rolls back unless commit() was
// called.
class Transaction {
 public:
  static Result<Transaction> begin(Database& db);
  Result<> commit();
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

 private:
  explicit Transaction(Database& db) : db_(&db) {}
  Database* db_;
};

}  // namespace berth::store
