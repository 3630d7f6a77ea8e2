#include "sim/memory_database.hpp"

#include <optional>
#include <utility>

#include "adapters/sql/catalogue.hpp"
#include "base/check.hpp"

namespace reclaim::sim {
namespace {

using database_sqlite::Connection;

// Those that nobody uses, as they were made. Of each thread its own, for worlds may be made beside each other.
std::vector<std::unique_ptr<Connection>>& free_connections() {
  static thread_local std::vector<std::unique_ptr<Connection>> connections;
  return connections;
}

std::unique_ptr<Connection> new_connection() {
  const sql::Catalogue& catalogue = sql::catalogue(sql::Dialect::kSqlite);
  std::unique_ptr<Connection> connection = Connection::open(":memory:", Millis(0), catalogue).value();
  for (const sql::Catalogue::Migration& migration : catalogue.migrations()) connection->execute(migration.text).value();
  return connection;
}

std::unique_ptr<Connection> take_connection() {
  std::vector<std::unique_ptr<Connection>>& free = free_connections();
  if (free.empty()) return new_connection();
  std::unique_ptr<Connection> connection = std::move(free.back());
  free.pop_back();
  return connection;
}

}  // namespace

class MemoryDatabase::Turn : public ports::Transaction {
 public:
  Turn(MemoryDatabase& database, ports::Access access) : database_(database), access_(access) {
    database_.is_taken_ = true;
    database_.execute("SAVEPOINT turn");
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() override {
    if (!is_over_) database_.execute("ROLLBACK TO turn; RELEASE turn");
    database_.is_taken_ = false;
  }

  Result<ports::Rows> run(ports::Statement statement, std::span<const ports::Value> values) override {
    if (failed_) return *failed_;
    Result<ports::Rows> rows = run_allowed(statement, values);
    if (!rows.ok()) failed_ = rows.error();
    return rows;
  }
  Status commit() override {
    if (failed_) return *failed_;
    check(!std::exchange(is_over_, true), "a transaction is committed once");
    database_.execute("RELEASE turn");
    return done();
  }

 private:
  Result<ports::Rows> run_allowed(ports::Statement statement, std::span<const ports::Value> values) {
    const bool may_write = access_ == ports::Access::kWrite;
    if (!may_write && !TRY(database_.connection_->only_reads(statement))) return invalid("", "writes, in a transaction begun to read");
    return database_.connection_->run(statement, values);
  }

  MemoryDatabase& database_;
  ports::Access access_;
  std::optional<Error> failed_;
  bool is_over_ = false;
};

MemoryDatabase::MemoryDatabase() : connection_(take_connection()) { execute("BEGIN"); }

MemoryDatabase::~MemoryDatabase() {
  execute("ROLLBACK");
  free_connections().push_back(std::move(connection_));
}

Result<std::unique_ptr<ports::Transaction>> MemoryDatabase::begin(ports::Access access) {
  if (is_taken_) return contended("somebody else has the database");
  return std::unique_ptr<ports::Transaction>(new Turn(*this, access));
}

Result<ports::Rows> MemoryDatabase::run(ports::Statement statement, std::span<const ports::Value> values) {
  if (is_taken_) return contended("somebody else has the database");
  return connection_->run(statement, values);
}

void MemoryDatabase::take_copy() {
  if (std::exchange(has_copy_, true)) execute("RELEASE copy");
  execute("SAVEPOINT copy");
}

void MemoryDatabase::put_copy_back() {
  check(has_copy_ && !is_taken_, "a copy is put back between transactions");
  execute("ROLLBACK TO copy");
}

void MemoryDatabase::execute(const char* commands) { check(connection_->execute(commands).ok(), commands); }

}  // namespace reclaim::sim
