// A database of the first version, as this one finds it.
#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../support/schema_1.h"
#include "../../support/scratch.h"
#include "store/containers.h"
#include "store/schema.h"

namespace berth::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Migration : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return scratch_.path() + "/berth.db"; }

  // By SQLite alone, as nothing of berth's can write the old version any more.
  void write_version_1(const std::string& more = "") const {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &raw), SQLITE_OK);
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> old(raw, sqlite3_close);
    for (const std::string& sql : {std::string("PRAGMA journal_mode=WAL"), std::string(test::kSchema1),
                                   std::string(test::kContent1), more})
      ASSERT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(raw);
  }
  [[nodiscard]] Database open() const {
    Result<Database> opened = Database::open(path());
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }

  test::Scratch scratch_;
};

// Each row as its columns with spaces between them.
std::vector<std::string> rows(Database& db, const std::string& sql, int columns) {
  Statement query = db.prepare(sql).value();
  std::vector<std::string> found;
  while (query.step().value()) {
    std::string row = query.is_null(0) ? "-" : query.text(0);
    for (int column = 1; column < columns; ++column)
      row += " " + (query.is_null(column) ? "-" : query.text(column));
    found.push_back(std::move(row));
  }
  return found;
}

std::vector<std::string> tables(Database& db) {
  return rows(db,
              "SELECT m.name, p.name, p.type, p.\"notnull\", p.dflt_value, p.pk FROM sqlite_master m, "
              "pragma_table_info(m.name) p WHERE m.type = 'table' ORDER BY m.name, p.name",
              6);
}
std::vector<std::string> indexes(Database& db) {
  return rows(db,
              "SELECT m.name, i.name, i.\"unique\", i.partial, p.seqno, p.name FROM sqlite_master m, "
              "pragma_index_list(m.name) i, pragma_index_info(i.name) p WHERE m.type = 'table' "
              "ORDER BY i.name, p.seqno",
              6);
}

TEST_F(Migration, ContainersKeepTheirBanksAsMaps) {
  write_version_1();
  Database db = open();
  const ContainerRecord web = find_container(db, "web").value();
  EXPECT_EQ(web.id, "aaaa");
  EXPECT_EQ(web.uid_map, "0 524288 65536\n");
  EXPECT_EQ(web.gid_map, "0 524288 65536\n");
  EXPECT_EQ(web.state, kExited);
  EXPECT_EQ(web.exit_status, 4);
  EXPECT_EQ(web.project, "");
  EXPECT_EQ(find_container(db, "db").value().uid_map, "0 655360 65536\n");
  EXPECT_EQ(find_container(db, "host").value().uid_map, "") << "it has the host's IDs, as before";
  EXPECT_EQ(find_container(db, "host").value().gid_map, "");
}

TEST_F(Migration, TheLedgerStaysAndTheFirstBanksAreSetAside) {
  write_version_1();
  Database db = open();
  EXPECT_THAT(rows(db, "SELECT number, owner, since, freed_at, last_owner FROM banks ORDER BY number", 5),
              ElementsAre("8 aaaa 100 - -", "9 - - 5000000000 dddd", "10 bbbb 200 4000000000 eeee"));
  EXPECT_THAT(rows(db, "SELECT first, last FROM fresh_banks ORDER BY first", 2),
              ElementsAre("11 1031", "1032 28671"));
  EXPECT_THAT(rows(db, "SELECT name, created_at, populated FROM volumes", 3), ElementsAre("data 300 0"));
  EXPECT_THAT(rows(db, "SELECT container_id, volume FROM container_volumes", 2), ElementsAre("aaaa data"));
  EXPECT_THAT(rows(db, "SELECT value FROM settings WHERE key = 'kept'", 1), ElementsAre("yes"));
}

TEST_F(Migration, FreshRangesBeyondTheFirstBanksAreLeftAlone) {
  write_version_1(
      "DELETE FROM fresh_banks; INSERT INTO fresh_banks VALUES (20, 1031), (1032, 2000), (3000, 28671);");
  Database db = open();
  EXPECT_THAT(rows(db, "SELECT first, last FROM fresh_banks ORDER BY first", 2),
              ElementsAre("20 1031", "1032 2000", "3000 28671"));
}

TEST_F(Migration, NothingTellsItFromANewOne) {
  write_version_1();
  Database old = open();
  Database fresh = Database::open(scratch_.path() + "/fresh.db").value();
  EXPECT_EQ(tables(old), tables(fresh));
  EXPECT_EQ(indexes(old), indexes(fresh));
  EXPECT_THAT(rows(old, "PRAGMA user_version", 1), ElementsAre(std::to_string(kSchemaVersion)));
  EXPECT_TRUE(Database::is_whole(path()).value());
}

TEST_F(Migration, ASecondTimeChangesNothing) {
  write_version_1();
  {
    const Database first = open();
  }
  Database again = open();
  EXPECT_EQ(rows(again, "SELECT first FROM fresh_banks", 1).size(), 2U);
  EXPECT_EQ(rows(again, "SELECT id FROM containers", 1).size(), 3U);
}

TEST_F(Migration, SeveralCommandsMayComeAtOnce) {
  write_version_1();
  std::vector<std::thread> commands;
  for (int i = 0; i < 8; ++i) {
    commands.emplace_back([this] {
      const Result<Database> opened = Database::open(path());
      EXPECT_TRUE(opened) << opened.error().message;
    });
  }
  for (std::thread& command : commands) command.join();
  Database db = open();
  EXPECT_EQ(rows(db, "SELECT first FROM fresh_banks", 1).size(), 2U);
}

TEST_F(Migration, OneThatFailsLeavesTheOldVersion) {
  write_version_1("CREATE TABLE translations (somebody TEXT);");
  const Result<Database> opened = Database::open(path());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("the store's database " + path()));
  EXPECT_THAT(opened.error().message, HasSubstr("translations already exists"));
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &raw), SQLITE_OK);
  const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> old(raw, sqlite3_close);
  EXPECT_NE(sqlite3_exec(raw, "SELECT uid_map FROM containers", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(raw, "DROP TABLE translations", nullptr, nullptr, nullptr), SQLITE_OK);
  Database db = open();
  EXPECT_EQ(find_container(db, "web").value().uid_map, "0 524288 65536\n") << "and it can be done again";
}

}  // namespace
}  // namespace berth::store
