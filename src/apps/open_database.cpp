#include "apps/open_database.hpp"

#include <filesystem>
#include <system_error>

#include "adapters/database_postgres/postgres.hpp"
#include "adapters/database_sqlite/sqlite.hpp"

namespace reclaim::apps {
namespace {

constexpr std::string_view kSqlite = "sqlite:";

bool is_sqlite(const std::string& address) { return address.starts_with(kSqlite) && address.size() > kSqlite.size(); }
bool is_postgres(const std::string& address) { return address.starts_with("postgres://") || address.starts_with("postgresql://"); }

}  // namespace

bool is_database_address(const std::string& address) { return is_sqlite(address) || is_postgres(address); }

Result<OpenedDatabase> open_database(const std::string& address) {
  if (is_sqlite(address)) return OpenedDatabase{TRY(database_sqlite::open_sqlite({.path = address.substr(kSqlite.size())})), true};
  if (is_postgres(address)) return OpenedDatabase{TRY(database_postgres::open_postgres({.conninfo = address})), false};
  return invalid("database", "must be sqlite:PATH or postgres://...");
}

Result<OpenedDatabase> open_existing_database(const std::string& address) {
  std::error_code unknown;
  const std::string path = is_sqlite(address) ? address.substr(kSqlite.size()) : "";
  if (!path.empty() && !std::filesystem::exists(path, unknown)) return not_found("there is no database at " + path);
  return open_database(address);
}

std::string database_of(const std::string& data) { return std::string(kSqlite) + data + "/reclaim.db"; }

}  // namespace reclaim::apps
