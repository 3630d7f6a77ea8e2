#include "adapters/database_sqlite/live_copy.hpp"

#include <utility>

#include "adapters/database_sqlite/connection.hpp"
#include "adapters/sql/catalogue.hpp"

namespace reclaim::database_sqlite {
namespace {

Result<std::unique_ptr<Connection>> begin_in(const std::string& path, Millis patience, const char* transaction) {
  std::unique_ptr<Connection> connection = TRY(Connection::open(path, patience, sql::catalogue(sql::Dialect::kSqlite)));
  TRY(connection->execute(transaction));
  // A transaction sees the database from its first look on.
  (void)TRY(connection->query("SELECT count(*) FROM sqlite_schema"));
  return connection;
}

}  // namespace

LiveCopy::LiveCopy(std::unique_ptr<Connection> holder, std::unique_ptr<Connection> reader)
    : holder_(std::move(holder)), reader_(std::move(reader)) {}
LiveCopy::~LiveCopy() = default;

Result<std::unique_ptr<LiveCopy>> LiveCopy::begin(const std::string& path, Millis patience) {
  std::unique_ptr<Connection> holder = TRY(begin_in(path, patience, "BEGIN IMMEDIATE"));
  std::unique_ptr<Connection> reader = TRY(begin_in(path, patience, "BEGIN"));
  return std::unique_ptr<LiveCopy>(new LiveCopy(std::move(holder), std::move(reader)));
}

Status LiveCopy::release() { return holder_->execute("ROLLBACK"); }

Result<ports::Rows> LiveCopy::read(ports::Statement statement, std::span<const ports::Value> values) {
  return reader_->run(statement, values);
}

Status LiveCopy::write(const std::string& to, const std::function<Status(std::uint64_t bytes)>& written) {
  TRY(create_file(to));
  return reader_->copy_to(to, written);
}

}  // namespace reclaim::database_sqlite
