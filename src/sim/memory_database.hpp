// The embedded database in memory, for worlds that begin anew thousands of times: its schema is made once, and what a world has changed is
// rolled back when it lets go of it. A copy of it can be taken and put back, as an operator does with a backup.
//
// The engine and its statements are the real ones; a transaction is a savepoint within one that never ends, and so is a copy. As of any
// database in memory there is one transaction at a time: another begun meanwhile is refused at once (kContended).
//
// Who may call: one thread at a time, copies between transactions.
#pragma once

#include <memory>
#include <vector>

#include "adapters/database_sqlite/connection.hpp"
#include "ports/database.hpp"

namespace reclaim::sim {

class MemoryDatabase : public ports::Database {
 public:
  MemoryDatabase();
  MemoryDatabase(const MemoryDatabase&) = delete;
  MemoryDatabase& operator=(const MemoryDatabase&) = delete;
  ~MemoryDatabase() override;

  Result<std::unique_ptr<ports::Transaction>> begin(ports::Access access) override;
  Result<ports::Rows> run(ports::Statement statement, std::span<const ports::Value> values) override;
  using ports::Database::run;

  // One copy is kept, the last.
  void take_copy();
  // Everything since is gone; the copy stays. Requires one.
  void put_copy_back();

 private:
  using Connection = database_sqlite::Connection;
  class Turn;

  void execute(const char* commands);

  std::unique_ptr<Connection> connection_;
  bool is_taken_ = false;
  bool has_copy_ = false;
};

inline std::unique_ptr<ports::Database> memory_database() { return std::make_unique<MemoryDatabase>(); }

}  // namespace reclaim::sim
