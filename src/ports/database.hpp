// The SQL database, as the core sees it: statements by name, transactions, rows.
//
// Statements are written once, in src/adapters/sql/*.sql, for both engines; the build numbers them and declares one constant each in
// ports/statements.hpp. The core names a statement and hands over values; it never holds SQL text.
//
// What callers may rely on
//  * A write transaction sees, statement by statement, everything that was committed before that statement began, and nothing it
//    read under a lock changes until it ends. Who changes rows of a worker locks the worker's row first (statement worker_lock).
//  * A transaction that is destroyed without commit() has changed nothing. So has one whose run() failed: it can only be dropped.
//  * commit() that answers kUnavailable may or may not have happened. Every caller is written so that running again is safe.
//  * kContended: nothing happened, others were at the same rows; `transact` below runs the whole thing again, a bounded number of times.
//
// Who may call: any thread; a Transaction belongs to the thread that began it. A crash at any point leaves all of a transaction or
// none of it, and after commit() returned, all of it, also after a power cut.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace reclaim::ports {

// One statement of src/adapters/sql, by its number. The constants live in ports/statements.hpp, which the build writes.
struct Statement {
  std::uint16_t number;
  const char* name;
};

using Value = std::variant<std::monostate, std::int64_t, std::string>;
using Values = std::vector<Value>;

class Row {
 public:
  explicit Row(Values values) : values_(std::move(values)) {}
  bool is_null(std::size_t column) const { return std::holds_alternative<std::monostate>(values_.at(column)); }
  std::int64_t integer(std::size_t column) const { return std::get<std::int64_t>(values_.at(column)); }
  const std::string& text(std::size_t column) const { return std::get<std::string>(values_.at(column)); }
  std::int64_t integer_or(std::size_t column, std::int64_t otherwise) const { return is_null(column) ? otherwise : integer(column); }
  std::string text_or(std::size_t column, const std::string& otherwise) const { return is_null(column) ? otherwise : text(column); }
  std::size_t size() const { return values_.size(); }

 private:
  Values values_;
};

// What a statement returned, and how many rows it changed.
struct Rows {
  std::vector<Row> rows;
  std::int64_t changed = 0;

  bool empty() const { return rows.empty(); }
  std::size_t size() const { return rows.size(); }
  const Row& operator[](std::size_t index) const { return rows.at(index); }
  auto begin() const { return rows.begin(); }
  auto end() const { return rows.end(); }
};

enum class Access { kRead, kWrite };

class Transaction {
 public:
  virtual ~Transaction() = default;  // rolls back what was not committed
  virtual Result<Rows> run(Statement statement, std::span<const Value> values) = 0;
  virtual Status commit() = 0;

  Result<Rows> run(Statement statement, const Values& values) { return run(statement, std::span<const Value>(values)); }
};

class Database {
 public:
  virtual ~Database() = default;
  virtual Result<std::unique_ptr<Transaction>> begin(Access access) = 0;
  // One statement that is a transaction of its own: one round trip.
  virtual Result<Rows> run(Statement statement, std::span<const Value> values) = 0;

  Result<Rows> run(Statement statement, const Values& values) { return run(statement, std::span<const Value>(values)); }
};

inline constexpr int kTransactAttempts = 8;

// Runs `work(transaction)` and commits, again from the start while the database answers kContended, at most kTransactAttempts times.
// `work` returns Result<T> or Status and must not keep anything from an attempt that failed.
template <class Work>
auto transact(Database& database, Access access, Work&& work) -> decltype(work(std::declval<Transaction&>())) {
  for (int attempt = 1;; ++attempt) {
    auto attempted = [&]() -> decltype(work(std::declval<Transaction&>())) {
      std::unique_ptr<Transaction> transaction = TRY(database.begin(access));
      auto result = work(*transaction);
      if (!result.ok()) return result;
      TRY(transaction->commit());
      return result;
    }();
    const bool again = !attempted.ok() && attempted.error().kind == Error::Kind::kContended && attempt < kTransactAttempts;
    if (!again) return attempted;
  }
}

}  // namespace reclaim::ports
