#include "sim/counting_database.hpp"

#include <algorithm>
#include <utility>

namespace reclaim::sim {
namespace {

using ports::Rows;
using ports::Statement;
using ports::Value;

template <class Runner>
Result<Rows> counted(Runner& runner, Cost& cost, const Clock* clock, Statement statement, std::span<const Value> values) {
  cost.statements += 1;
  cost.parameters_max = std::max(cost.parameters_max, values.size());
  const Instant began = clock != nullptr ? clock->now() : Instant{};
  Result<Rows> rows = runner.run(statement, values);
  if (rows.ok()) cost.rows_max = std::max({cost.rows_max, rows.value().changed, static_cast<std::int64_t>(rows.value().size())});
  if (clock == nullptr) return rows;
  const Millis took = clock->now() - began;
  if (took > cost.slowest) {
    cost.slowest = took;
    cost.slowest_name = statement.name;
  }
  return rows;
}

class CountingTransaction : public ports::Transaction {
 public:
  CountingTransaction(std::unique_ptr<ports::Transaction> inner, Cost& cost, const Clock* clock)
      : inner_(std::move(inner)), cost_(cost), clock_(clock) {}

  Result<Rows> run(Statement statement, std::span<const Value> values) override {
    return counted(*inner_, cost_, clock_, statement, values);
  }
  Status commit() override {
    cost_.commits += 1;
    return inner_->commit();
  }
  using ports::Transaction::run;

 private:
  std::unique_ptr<ports::Transaction> inner_;
  Cost& cost_;
  const Clock* clock_;
};

}  // namespace

Result<std::unique_ptr<ports::Transaction>> CountingDatabase::begin(ports::Access access) {
  cost_.begins += 1;
  std::unique_ptr<ports::Transaction> inner = TRY(inner_.begin(access));
  return std::unique_ptr<ports::Transaction>(std::make_unique<CountingTransaction>(std::move(inner), cost_, clock_));
}

Result<Rows> CountingDatabase::run(Statement statement, std::span<const Value> values) {
  return counted(inner_, cost_, clock_, statement, values);
}

Cost CountingDatabase::take() { return std::exchange(cost_, {}); }

}  // namespace reclaim::sim
