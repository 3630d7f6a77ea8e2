#include "sim/crash.hpp"

#include <utility>

#include "sim/coverage.hpp"

namespace reclaim::sim {
namespace {

// Does the call of that name under the plan. `lost` is what the caller sees of an applied call whose answer is lost.
template <class Call>
auto step(Fault& fault, const char* name, Call&& call) -> decltype(call()) {
  const bool now = fault.calls++ == fault.at && !fault.happened;
  if (!now) return call();
  fault.happened = true;
  note_crossing("database", name);
  if (fault.outcome == Outcome::kStopBefore) throw Crash{};
  auto answer = call();
  if (fault.outcome == Outcome::kStopAfter) throw Crash{};
  return answer.ok() ? decltype(call())(unavailable("the answer was lost")) : std::move(answer);
}

class FaultyTransaction : public ports::Transaction {
 public:
  FaultyTransaction(std::unique_ptr<ports::Transaction> inner, Fault& fault) : inner_(std::move(inner)), fault_(fault) {}

  Result<ports::Rows> run(ports::Statement statement, std::span<const ports::Value> values) override {
    return step(fault_, statement.name, [&] { return inner_->run(statement, values); });
  }
  Status commit() override {
    return step(fault_, "commit", [&] { return inner_->commit(); });
  }
  using ports::Transaction::run;

 private:
  std::unique_ptr<ports::Transaction> inner_;
  Fault& fault_;
};

}  // namespace

Result<std::unique_ptr<ports::Transaction>> FaultyDatabase::begin(ports::Access access) {
  return step(fault_, "begin", [&]() -> Result<std::unique_ptr<ports::Transaction>> {
    std::unique_ptr<ports::Transaction> inner = TRY(inner_.begin(access));
    return std::unique_ptr<ports::Transaction>(std::make_unique<FaultyTransaction>(std::move(inner), fault_));
  });
}

Result<ports::Rows> FaultyDatabase::run(ports::Statement statement, std::span<const ports::Value> values) {
  return step(fault_, statement.name, [&] { return inner_.run(statement, values); });
}

}  // namespace reclaim::sim
