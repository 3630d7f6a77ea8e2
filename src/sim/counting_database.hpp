// What a use case costs, as the database sees it: a decorator that counts statements, transactions and parameters, and, given a clock,
// knows the slowest statement.
//
// One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "ports/database.hpp"

namespace reclaim::sim {

struct Cost {
  std::int64_t statements = 0;
  std::int64_t begins = 0;
  std::int64_t commits = 0;
  std::size_t parameters_max = 0;  // of one statement
  std::int64_t rows_max = 0;       // returned or changed by one statement
  Millis slowest{0};               // without a clock: nothing
  std::string slowest_name;
};

class CountingDatabase : public ports::Database {
 public:
  explicit CountingDatabase(ports::Database& inner, const Clock* clock = nullptr) : inner_(inner), clock_(clock) {}

  Result<std::unique_ptr<ports::Transaction>> begin(ports::Access access) override;
  Result<ports::Rows> run(ports::Statement statement, std::span<const ports::Value> values) override;
  using ports::Database::run;

  const Cost& cost() const { return cost_; }
  // What was counted so far; counting begins anew.
  Cost take();

 private:
  ports::Database& inner_;
  const Clock* clock_;
  Cost cost_;
};

}  // namespace reclaim::sim
