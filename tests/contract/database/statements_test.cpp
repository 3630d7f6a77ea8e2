// Every statement of the product, on both engines, against the schema that the product makes.
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#include <memory>
#include <string>

#include "adapters/database_postgres/postgres.hpp"
#include "adapters/database_sqlite/sqlite.hpp"
#include "adapters/sql/catalogue.hpp"
#include "support/postgres.hpp"
#include "support/temp_directory.hpp"

namespace reclaim {
namespace {

// pg_type.dat: bool, int8, int2, int4, text, numeric (what sum() makes of integers).
bool is_integer_or_text(Oid type) { return type == 16 || type == 20 || type == 21 || type == 23 || type == 25 || type == 1700; }

TEST(Statements, AllPrepareOnSqlite) {
  const testing_support::TempDirectory directory;
  const std::string path = directory / "statements.db";
  const sql::Catalogue& catalogue = sql::catalogue(sql::Dialect::kSqlite);
  {
    const auto made = database_sqlite::open_sqlite({.path = path});
    ASSERT_TRUE(made.ok()) << made.error().message;
  }
  sqlite3* opened = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &opened), SQLITE_OK);
  const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> handle(opened, sqlite3_close);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  for (const auto& [name, text, parameters] : catalogue.entries()) {
    sqlite3_stmt* statement = nullptr;
    const char* tail = nullptr;
    const int prepared = sqlite3_prepare_v2(opened, text.c_str(), -1, &statement, &tail);
    EXPECT_EQ(prepared, SQLITE_OK) << name << ": " << sqlite3_errmsg(opened) << "\n" << text;
    EXPECT_TRUE(prepared != SQLITE_OK || std::string(tail).empty()) << name << " is more than one command";
    sqlite3_finalize(statement);
  }
}

TEST(Statements, AllPrepareOnPostgres) {
  const std::string conninfo = test::PrivatePostgres::shared().fresh_database();
  const auto made = database_postgres::open_postgres({.conninfo = conninfo});
  ASSERT_TRUE(made.ok()) << made.error().message;
  const std::unique_ptr<PGconn, decltype(&PQfinish)> session(PQconnectdb(conninfo.c_str()), PQfinish);
  for (const auto& [name, text, parameters] : sql::catalogue(sql::Dialect::kPostgres).entries()) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> prepared(PQprepare(session.get(), name.c_str(), text.c_str(), 0, nullptr), PQclear);
    EXPECT_EQ(PQresultStatus(prepared.get()), PGRES_COMMAND_OK) << name << ": " << PQresultErrorMessage(prepared.get()) << "\n" << text;
    if (PQresultStatus(prepared.get()) != PGRES_COMMAND_OK) continue;
    const std::unique_ptr<PGresult, decltype(&PQclear)> described(PQdescribePrepared(session.get(), name.c_str()), PQclear);
    EXPECT_EQ(static_cast<std::size_t>(PQnparams(described.get())), parameters) << name << " passes over a parameter";
    for (int column = 0; column < PQnfields(described.get()); ++column) {
      EXPECT_TRUE(is_integer_or_text(PQftype(described.get(), column))) << name << ": column " << PQfname(described.get(), column);
    }
  }
}

}  // namespace
}  // namespace reclaim
