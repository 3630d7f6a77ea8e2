#include "apps/open_database.hpp"

#include "adapters/database_postgres/postgres.hpp"
#include "adapters/database_sqlite/sqlite.hpp"

namespace reclaim::apps {

Result<OpenedDatabase> open_database(const std::string& address) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (address.starts_with(kSqlite) && address.size() > kSqlite.size()) {
    return OpenedDatabase{TRY(database_sqlite::open_sqlite({.path = address.substr(kSqlite.size())})), true};
  }
  if (address.starts_with("postgres://") || address.starts_with("postgresql://")) {
    return OpenedDatabase{TRY(database_postgres::open_postgres({.conninfo = address})), false};
  }
  return invalid("database", "must be sqlite:PATH or postgres://...");
}

}  // namespace reclaim::apps
