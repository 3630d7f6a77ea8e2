#include "adapters/database_postgres/postgres.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include "adapters/database_postgres/connection.hpp"
#include "adapters/sql/history.hpp"
#include "adapters/sql/pool.hpp"

namespace reclaim::database_postgres {
namespace {

using ports::Access;
using ports::Rows;
using ports::Statement;
using ports::Value;
using Connections = sql::Pool<Connection>;

class PostgresTransaction : public ports::Transaction {
 public:
  PostgresTransaction(Connections::Lease connection, Access access) : connection_(std::move(connection)), access_(access) {}
  PostgresTransaction(const PostgresTransaction&) = delete;
  PostgresTransaction& operator=(const PostgresTransaction&) = delete;
  ~PostgresTransaction() override {
    // A rollback that fails has lost the connection, and with it the transaction.
    if (begun_ && !ended_ && !connection_->lost()) (void)connection_->command("ROLLBACK").ok();
  }

  Result<Rows> run(Statement statement, std::span<const Value> values) override {
    check(!ended_, "a transaction that ended runs nothing more");
    if (failed_) return *failed_;
    const char* before = begun_ ? nullptr : access_ == Access::kWrite ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
    begun_ = true;
    Result<Rows> result = connection_->run(before, statement, values);
    if (result.ok()) return result;
    failed_ = result.error();
    if (connection_->lost()) failed_->message += "; nothing of the transaction happened";
    return *failed_;
  }

  Status commit() override {
    check(!ended_, "a transaction is committed once");
    if (failed_) return *failed_;
    ended_ = true;
    if (!begun_) return done();
    const Result<std::string> tag = connection_->command("COMMIT");
    if (connection_->lost()) return unavailable(tag.error().message + "; the transaction may or may not have been committed");
    if (TRY(tag) != "COMMIT")
      return unavailable("PostgreSQL answered COMMIT with " + tag.value() + "; nothing of the transaction happened");
    return done();
  }

 private:
  Connections::Lease connection_;
  Access access_;
  bool begun_ = false;
  bool ended_ = false;
  std::optional<Error> failed_;
};

class PostgresDatabase : public ports::Database {
 public:
  explicit PostgresDatabase(PostgresOptions options) : options_(std::move(options)) {
    for (int i = 0; i < options_.connections; ++i) pool_.add(std::make_unique<Connection>(options_));
  }

  Result<std::unique_ptr<ports::Transaction>> begin(Access access) override {
    return std::unique_ptr<ports::Transaction>(std::make_unique<PostgresTransaction>(TRY(take()), access));
  }

  Result<Rows> run(Statement statement, std::span<const Value> values) override {
    const Connections::Lease connection = TRY(take());
    return connection->run(nullptr, statement, values);
  }

 private:
  Result<Connections::Lease> take() {
    Connections::Lease connection = pool_.take(options_.patience);
    if (!connection) {
      return unavailable("none of the " + std::to_string(options_.connections) + " connections to PostgreSQL came free in time");
    }
    TRY(connection->ready());
    return connection;
  }

  const PostgresOptions options_;
  Connections pool_;
};

Result<const sql::Catalogue::Migration*> pending(PGconn* session, const sql::Catalogue& catalogue) {
  std::vector<sql::Applied> history;
  // Not to_regclass(): under an advisory lock alone it answers from a cache that does not know yet what others just committed.
  const Answer table =
      TRY(execute(session, "SELECT 1 FROM pg_catalog.pg_tables WHERE tablename = 'schema_migrations' AND schemaname = current_schema()"));
  if (PQntuples(table.get()) == 1) {
    const Answer rows = TRY(execute(session, "SELECT version, name FROM schema_migrations ORDER BY version"));
    for (int row = 0; row < PQntuples(rows.get()); ++row) {
      const std::string_view version = PQgetvalue(rows.get(), row, 0);
      history.push_back({0, PQgetvalue(rows.get(), row, 1)});
      std::from_chars(version.data(), version.data() + version.size(), history.back().version);
    }
  }
  return sql::next_migration(catalogue, history);
}

// Applies the migration unless somebody else just did: of several servers one holds the lock, and the others find its work done.
Status apply(PGconn* session, const sql::Catalogue& catalogue, const sql::Catalogue::Migration& migration) {
  TRY(execute(session, "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'; SELECT pg_advisory_xact_lock(7370009)"));
  const sql::Catalogue::Migration* next = TRY(pending(session, catalogue));
  if (next == &migration) TRY(execute(session, migration.text, "PostgreSQL, migration " + migration.name));
  TRY(execute(session, "COMMIT"));
  return done();
}

Status migrate(const PostgresOptions& options) {
  const Session session = TRY(connect(options));
  for (;;) {
    const sql::Catalogue::Migration* next = TRY(pending(session.get(), *options.catalogue));
    if (next == nullptr) return done();
    TRY(apply(session.get(), *options.catalogue, *next));
  }
}

}  // namespace

Result<std::unique_ptr<ports::Database>> open_postgres(const PostgresOptions& options) {
  TRY(check_conninfo(options.conninfo));
  TRY(migrate(options));
  return std::unique_ptr<ports::Database>(std::make_unique<PostgresDatabase>(options));
}

}  // namespace reclaim::database_postgres
