// A fleet database of one engine, that can be opened any number of times, and filled at once with more rows than use cases could
// register in a test's time.
#pragma once

#include <libpq-fe.h>
#include <sqlite3.h>

#include <memory>
#include <string>

#include "adapters/database_postgres/postgres.hpp"
#include "adapters/database_sqlite/sqlite.hpp"
#include "base/check.hpp"
#include "support/postgres.hpp"
#include "support/temp_directory.hpp"

namespace reclaim::test {

enum class FleetEngine { kSqlite, kPostgres };

class FleetStore {
 public:
  explicit FleetStore(FleetEngine engine) : engine_(engine) {
    if (engine == FleetEngine::kPostgres) conninfo_ = PrivatePostgres::shared().fresh_database();
  }

  Result<std::unique_ptr<ports::Database>> open() const {
    if (engine_ == FleetEngine::kPostgres) return database_postgres::open_postgres({.conninfo = conninfo_});
    return database_sqlite::open_sqlite({.path = file()});
  }

  // Commands in the engine's own words; the first value of the last answer.
  std::string execute(const std::string& commands) const {
    return engine_ == FleetEngine::kPostgres ? execute_postgres(commands) : execute_sqlite(commands);
  }

  struct Fill {
    std::int64_t count;
    std::string prefix = "c";
    std::string worker = "w1";
    std::string owner = {};  // empty: none
  };
  // Created containers of one worker, `c1`, `c2`, ..., at its next change number, as if registered one by one.
  void fill(const Fill& fill) const {
    const std::string worker = "(SELECT id FROM workers WHERE name = '" + fill.worker + "')";
    const std::string owner = "(SELECT id FROM owners WHERE name = '" + fill.owner + "')";
    const std::string count = std::to_string(fill.count);
    execute("BEGIN; UPDATE workers SET change = change + 1, registered = registered + " + count + " WHERE name = '" + fill.worker +
            "'; WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < " + count +
            ") INSERT INTO resources (worker_id, kind, handle, owner_id, state, since_wall, entered, change, present) SELECT " + worker +
            ", 0, '" + fill.prefix + "' || n, " + owner + ", 'created', 0, 0, (SELECT change FROM workers WHERE name = '" + fill.worker +
            "'), 0 FROM s; COMMIT");
  }

 private:
  std::string file() const { return directory_ / "fleet.db"; }

  std::string execute_postgres(const std::string& commands) const {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> session(PQconnectdb(conninfo_.c_str()), PQfinish);
    const std::unique_ptr<PGresult, decltype(&PQclear)> answer(PQexec(session.get(), commands.c_str()), PQclear);
    const ExecStatusType status = PQresultStatus(answer.get());
    check(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, PQerrorMessage(session.get()));
    return PQntuples(answer.get()) > 0 ? PQgetvalue(answer.get(), 0, 0) : "";
  }

  std::string execute_sqlite(const std::string& commands) const {
    sqlite3* handle = nullptr;
    check(sqlite3_open(file().c_str(), &handle) == SQLITE_OK, "the file opens");
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> session(handle, sqlite3_close);
    std::string value;
    const auto keep = [](void* into, int, char** values, char**) {
      *static_cast<std::string*>(into) = values[0] != nullptr ? values[0] : "";
      return 0;
    };
    check(sqlite3_exec(handle, commands.c_str(), keep, &value, nullptr) == SQLITE_OK, sqlite3_errmsg(handle));
    return value;
  }

  FleetEngine engine_;
  testing_support::TempDirectory directory_;
  std::string conninfo_;
};

}  // namespace reclaim::test
