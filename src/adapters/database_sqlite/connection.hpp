// One connection to a SQLite database, with the statements prepared on it so far. One thread at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adapters/sql/catalogue.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/database.hpp"

namespace reclaim::database_sqlite {

// Before SQLite would make it, which has its own idea of the mode; the -wal and -shm files take theirs from it. One that is there stays.
Status create_file(const std::string& path);

class Connection {
 public:
  // `path` as SQLite takes it.
  static Result<std::unique_ptr<Connection>> open(const std::string& path, Millis file_patience, const sql::Catalogue& catalogue);

  // SQL commands without parameters or results; `doing` is for the message.
  Status execute(const std::string& commands) { return execute(commands, commands); }
  Status execute(const std::string& commands, std::string_view doing);
  Result<ports::Rows> run(ports::Statement statement, std::span<const ports::Value> values);
  Result<bool> only_reads(ports::Statement statement);
  // The rows of a query outside the catalogue.
  Result<ports::Rows> query(const char* text);

  // What this connection sees, into the file `to`, which is there and empty: whole databases, page by page. Where a transaction is open,
  // what that sees. `written` is told how many bytes so far, and its error ends the copy. The caller syncs the file.
  Status copy_to(const std::string& to, const std::function<Status(std::uint64_t bytes)>& written);

  bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  struct Prepared {
    std::unique_ptr<sqlite3_stmt, Finalize> statement;
    std::vector<std::size_t> values;  // which value each of SQLite's parameters takes: `$3`, used twice, is one parameter
  };

  Connection(sqlite3* handle, const sql::Catalogue& catalogue)
      : catalogue_(catalogue), handle_(handle), prepared_(catalogue.entries().size()) {}

  Result<Prepared> prepare(const std::string& text, std::string_view name);
  Result<Prepared*> prepared(ports::Statement statement);
  Status bind(Prepared& prepared, std::span<const ports::Value> values, std::string_view name);
  Result<ports::Rows> step_all(sqlite3_stmt* statement, std::string_view name);
  Error error(std::string_view doing) const;

  const sql::Catalogue& catalogue_;
  std::unique_ptr<sqlite3, Close> handle_;
  std::vector<Prepared> prepared_;  // by statement number; destroyed before the handle
};

}  // namespace reclaim::database_sqlite
