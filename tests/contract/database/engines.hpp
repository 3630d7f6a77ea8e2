// The engines under test, over a small schema of the tests' own.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/database_postgres/postgres.hpp"
#include "adapters/database_sqlite/sqlite.hpp"
#include "adapters/sql/catalogue.hpp"
#include "support/postgres.hpp"

namespace reclaim::test {

enum class Engine { kFile, kMemory, kPostgres };

inline std::string name_of(const testing::TestParamInfo<Engine>& info) {
  switch (info.param) {
    case Engine::kFile: return "SqliteFile";
    case Engine::kMemory: return "SqliteMemory";
    case Engine::kPostgres: return "Postgres";
  }
  return "";
}

inline const sql::Texts& texts() {
  static const sql::Texts texts{
      .statements =
          {
              {"put", "INSERT INTO things (key, value, note) VALUES ($1, $2, $3)"},
              {"put_returning", "INSERT INTO things (key, value) VALUES ($1, $2), ($1 || '2', $2) RETURNING key, value"},
              {"value_of", "SELECT @{value} WHERE key = $1"},
              {"value_for_update", "SELECT @{value} WHERE key = $1 @for_update"},
              {"claim", "SELECT key FROM things ORDER BY key LIMIT 1 @for_update_skip_locked"},
              {"set_value", "UPDATE things SET value = $2 WHERE key = $1"},
              {"remove", "DELETE FROM things WHERE key = $1"},
              {"everything", "SELECT key, value, note FROM things ORDER BY key"},
              {"sum", "SELECT sum(value), count(*), max(key) FROM things"},
              {"put_part", "INSERT INTO parts (thing_id) VALUES ($1)"},
              {"put_each",
               "INSERT INTO things (key, value) SELECT each.value ->> 'key', CAST(each.value ->> 'value' AS BIGINT) FROM @each($1) "
               "WHERE true ON CONFLICT (key) DO UPDATE SET value = excluded.value"},
              {"each_text", "SELECT each.value FROM @each_text($1)"},
              {"known_of", "SELECT count(*) FROM @each_text($1) JOIN things ON things.key = each.value"},
              {"swapped", "SELECT CAST($2 AS BIGINT), CAST($1 AS TEXT), CAST($2 AS BIGINT)"},
              {"between", "SELECT @greatest(CAST($1 AS BIGINT), CAST($2 AS BIGINT)), @least(CAST($1 AS BIGINT), CAST($2 AS BIGINT))"},
              {"turn", "@events_turn"},
              {"half", "SELECT 0.5"},
              {"misspelt", "SELECT valeu FROM things"},
              {"backend", "SELECT pg_backend_pid()"},
              {"nap", "SELECT 1 FROM pg_sleep(60)"},
          },
      .fragments = {{"value", "@{column} FROM things"}, {"column", "value"}},
      .migrations = {{1, "things",
                      "CREATE TABLE things (id @serial_key, key @text NOT NULL UNIQUE, value BIGINT, note @text);\n"
                      "CREATE TABLE parts (id @serial_key, thing_id BIGINT NOT NULL REFERENCES things (id));\n"}},
  };
  return texts;
}

inline ports::Statement named(std::string_view name) {
  const auto& statements = texts().statements;
  const auto found = std::ranges::find(statements, name, &sql::NamedText::name);
  check(found != statements.end(), "no such statement of the tests");
  return {static_cast<std::uint16_t>(found - statements.begin()), found->name.data()};
}

// A database of one engine, empty at first, that can be opened any number of times.
class Subject {
 public:
  explicit Subject(Engine engine) : engine_(engine), catalogue_(texts(), dialect()) {
    if (engine == Engine::kPostgres) postgres_ = {.conninfo = PrivatePostgres::shared().fresh_database(), .catalogue = &catalogue_};
    if (engine != Engine::kFile) return;
    std::string pattern = std::filesystem::temp_directory_path() / "reclaim-sqlite-XXXXXX";
    check(::mkdtemp(pattern.data()) != nullptr, "a temporary directory");
    directory_ = pattern;
  }
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;
  ~Subject() {
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  sql::Dialect dialect() const { return engine_ == Engine::kPostgres ? sql::Dialect::kPostgres : sql::Dialect::kSqlite; }
  database_postgres::PostgresOptions postgres() const { return postgres_; }
  database_sqlite::SqliteOptions sqlite() const { return {.path = file(), .catalogue = &catalogue_}; }
  std::string file() const { return directory_.empty() ? "" : directory_ / "data.db"; }

  Result<std::unique_ptr<ports::Database>> open() const { return open(catalogue_); }
  Result<std::unique_ptr<ports::Database>> open(const sql::Catalogue& catalogue) const {
    if (engine_ == Engine::kPostgres) {
      database_postgres::PostgresOptions options = postgres_;
      options.catalogue = &catalogue;
      return database_postgres::open_postgres(options);
    }
    return database_sqlite::open_sqlite({.path = file(), .catalogue = &catalogue});
  }

 private:
  Engine engine_;
  sql::Catalogue catalogue_;
  std::filesystem::path directory_;
  database_postgres::PostgresOptions postgres_;
};

}  // namespace reclaim::test
