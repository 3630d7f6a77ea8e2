#include "adapters/database_sqlite/sqlite.hpp"

#include <atomic>
#include <optional>
#include <utility>

#include "adapters/database_sqlite/connection.hpp"
#include "adapters/sql/history.hpp"
#include "adapters/sql/pool.hpp"

namespace reclaim::database_sqlite {
namespace {

using ports::Access;
using ports::Rows;
using ports::Statement;
using ports::Value;
using Connections = sql::Pool<Connection>;

constexpr int kJournalAttempts = 10;

class SqliteTransaction : public ports::Transaction {
 public:
  SqliteTransaction(Connections::Lease connection, Access access) : connection_(std::move(connection)), access_(access) {}
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;
  ~SqliteTransaction() override {
    // Nothing to do about a rollback that fails: nothing was committed, and closing the connection ends it too.
    if (connection_->in_transaction()) (void)connection_->execute("ROLLBACK").ok();
  }

  Result<Rows> run(Statement statement, std::span<const Value> values) override {
    if (failed_) return *failed_;
    Result<Rows> result = run_allowed(statement, values);
    if (!result.ok()) failed_ = result.error();
    return result;
  }

  Status commit() override {
    check(!std::exchange(ended_, true), "a transaction is committed once");
    if (failed_) return *failed_;
    return connection_->execute("COMMIT");
  }

 private:
  Result<Rows> run_allowed(Statement statement, std::span<const Value> values) {
    check(!ended_, "a transaction that ended runs nothing more");
    if (access_ == Access::kRead && !TRY(connection_->only_reads(statement))) {
      return invalid("", std::string(statement.name) + " writes, in a transaction begun to read");
    }
    return connection_->run(statement, values);
  }

  Connections::Lease connection_;
  Access access_;
  std::optional<Error> failed_;
  bool ended_ = false;
};

class SqliteDatabase : public ports::Database {
 public:
  SqliteDatabase(const SqliteOptions& options, std::unique_ptr<Connection> writer)
      : patience_(options.patience), writes_(options.catalogue->entries().size()) {
    writer_.add(std::move(writer));
  }
  void add_reader(std::unique_ptr<Connection> reader) { readers_.add(std::move(reader)); }

  Result<std::unique_ptr<ports::Transaction>> begin(Access access) override {
    Connections::Lease connection = TRY(take(access));
    TRY(connection->execute(access == Access::kWrite ? "BEGIN IMMEDIATE" : "BEGIN"));
    return std::unique_ptr<ports::Transaction>(std::make_unique<SqliteTransaction>(std::move(connection), access));
  }

  Result<Rows> run(Statement statement, std::span<const Value> values) override {
    if (!writes_.at(statement.number)) {
      const Connections::Lease reader = TRY(take(Access::kRead));
      if (TRY(reader->only_reads(statement)) || readers_.empty()) return reader->run(statement, values);
      writes_[statement.number] = true;
    }
    const Connections::Lease writer = TRY(take(Access::kWrite));
    return writer->run(statement, values);
  }

 private:
  Result<Connections::Lease> take(Access access) {
    const bool write = access == Access::kWrite || readers_.empty();
    Connections::Lease connection = write ? writer_.take(patience_) : readers_.take(patience_);
    if (!connection) return contended(std::string("no ") + (write ? "turn to write" : "reader") + " came free in time");
    return connection;
  }

  const Millis patience_;
  Connections writer_;
  Connections readers_;                    // none: everything goes through the writer
  std::vector<std::atomic<bool>> writes_;  // by statement: known to write
};

// Changing to WAL mode answers BUSY at once, whatever the patience, when another process does the same; it is done when that one is.
Status use_wal(Connection& connection) {
  for (int attempt = 1;; ++attempt) {
    Result<Rows> mode = connection.query("PRAGMA journal_mode = WAL");
    if (mode.ok()) {
      if (mode.value()[0].text(0) == "wal") return done();
      return unavailable("the file system of the database cannot do write-ahead logging: it must be a local one");
    }
    if (mode.error().kind != Error::Kind::kContended || attempt == kJournalAttempts) return mode.error();
    TRY(connection.execute("BEGIN EXCLUSIVE; COMMIT"));
  }
}

Result<const sql::Catalogue::Migration*> pending(Connection& connection, const sql::Catalogue& catalogue) {
  std::vector<sql::Applied> history;
  const Rows table = TRY(connection.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'"));
  if (!table.empty()) {
    const Rows rows = TRY(connection.query("SELECT CAST(version AS INTEGER), CAST(name AS TEXT) FROM schema_migrations ORDER BY version"));
    for (const ports::Row& row : rows) history.push_back({row.integer(0), row.text(1)});
  }
  return sql::next_migration(catalogue, history);
}

// Applies the migration unless somebody else just did.
Status apply(Connection& connection, const sql::Catalogue& catalogue, const sql::Catalogue::Migration& migration) {
  TRY(connection.execute("BEGIN IMMEDIATE"));
  Status applied = [&]() -> Status {
    const sql::Catalogue::Migration* next = TRY(pending(connection, catalogue));
    if (next == &migration) TRY(connection.execute(migration.text, "migration " + migration.name));
    return connection.execute("COMMIT");
  }();
  if (connection.in_transaction()) TRY(connection.execute("ROLLBACK"));
  return applied;
}

Status migrate(Connection& connection, const sql::Catalogue& catalogue) {
  for (;;) {
    const sql::Catalogue::Migration* next = TRY(pending(connection, catalogue));
    if (next == nullptr) return done();
    TRY(apply(connection, catalogue, *next));
  }
}

Result<std::unique_ptr<ports::Database>> open_all(const SqliteOptions& options) {
  const bool in_memory = options.path.empty();
  if (!in_memory) TRY(create_file(options.path));
  const std::string path = in_memory ? ":memory:" : options.path;
  std::unique_ptr<Connection> writer = TRY(Connection::open(path, options.file_patience, *options.catalogue));
  if (!in_memory) TRY(use_wal(*writer));
  TRY(migrate(*writer, *options.catalogue));
  auto database = std::make_unique<SqliteDatabase>(options, std::move(writer));
  for (int i = 0; i < options.readers && !in_memory; ++i) {
    std::unique_ptr<Connection> reader = TRY(Connection::open(path, options.file_patience, *options.catalogue));
    TRY(reader->execute("PRAGMA query_only = ON"));
    database->add_reader(std::move(reader));
  }
  return std::unique_ptr<ports::Database>(std::move(database));
}

}  // namespace

Result<std::unique_ptr<ports::Database>> open_sqlite(const SqliteOptions& options) {
  Result<std::unique_ptr<ports::Database>> opened = open_all(options);
  if (opened.ok() || options.path.empty()) return opened;
  Error error = opened.error();
  error.message = options.path + ": " + error.message;
  return error;
}

}  // namespace reclaim::database_sqlite
