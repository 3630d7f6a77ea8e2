#include "sim/crash.hpp"

#include <utility>

#include "sim/coverage.hpp"

namespace reclaim::sim {
namespace {

std::string became(const Result<ports::Rows>& answer) {
  if (!answer.ok()) return std::string(name_of(answer.error().kind));
  const ports::Rows& rows = answer.value();
  return rows.changed > 0 ? std::to_string(rows.changed) + " changed" : std::to_string(rows.size()) + " found";
}

template <class Answer>
std::string became(const Answer& answer) {
  return answer.ok() ? "done" : std::string(name_of(answer.error().kind));
}

// Does the call of that name under the plan.
template <class Call>
auto step(Fault& fault, const char* name, Call&& call) -> decltype(call()) {
  const int number = fault.calls++;
  if (number != fault.at || fault.happened) {
    auto answer = call();
    fault.tell(number, name, became(answer));
    return answer;
  }
  fault.happened = true;
  note_crossing("database", name);
  if (fault.outcome == Outcome::kStopBefore) {
    fault.tell(number, name, "not done, the process ends");
    throw Crash{};
  }
  auto answer = call();
  const bool is_lost = fault.outcome == Outcome::kAnswerLost;
  fault.tell(number, name, became(answer) + (is_lost ? ", not answered" : ", the process ends"));
  if (!is_lost) throw Crash{};
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

std::string headline(const Fault& fault) {
  if (fault.at < 0) return "not disturbed";
  const std::string call = " call " + std::to_string(fault.at) + " (0 is the first)";
  switch (fault.outcome) {
    case Outcome::kStopBefore: return "stopped before" + call;
    case Outcome::kStopAfter: return "stopped after" + call;
    case Outcome::kAnswerLost: return "not answered to" + call;
  }
  return "";
}

}  // namespace

void Fault::tell(int call, const std::string& what, const std::string& became) {
  story += "  " + std::to_string(call) + " " + what + ": " + became + "\n";
}

std::string in_words(const Fault& fault) { return headline(fault) + ":\n" + fault.story; }

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
