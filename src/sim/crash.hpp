// Crash at every step (rung 1): a port decorator that stops the process before call k, after it, or lets it be applied while its
// answer is lost. The caller counts calls by running once without a crash, and then runs again for every call and every outcome.
//
// A stop is thrown as Crash, which is no std::exception, so that nothing in the product catches it; the decorated transaction is rolled
// back by its destructor, as the engine does for a dead client. A lost answer is kUnavailable, and the process lives on with it.
#pragma once

#include <memory>
#include <string>

#include "ports/database.hpp"

namespace reclaim::sim {

struct Crash {};

enum class Outcome { kStopBefore, kStopAfter, kAnswerLost };
inline constexpr Outcome kOutcomes[] = {Outcome::kStopBefore, Outcome::kStopAfter, Outcome::kAnswerLost};

// One planned fault: at call number `at`, counted from 0. Disarmed by at < 0, and once it happened.
struct Fault {
  int at = -1;
  Outcome outcome = Outcome::kStopBefore;
  int calls = 0;  // seen so far
  bool happened = false;
  std::string story = {};  // each call that was seen and what became of it, in a line of its own

  void tell(int call, const std::string& what, const std::string& became);
};

// `stopped before call 7 (0 is the first):`, and the story.
std::string in_words(const Fault& fault);

class FaultyDatabase : public ports::Database {
 public:
  FaultyDatabase(ports::Database& inner, Fault& fault) : inner_(inner), fault_(fault) {}

  Result<std::unique_ptr<ports::Transaction>> begin(ports::Access access) override;
  Result<ports::Rows> run(ports::Statement statement, std::span<const ports::Value> values) override;
  using ports::Database::run;

 private:
  ports::Database& inner_;
  Fault& fault_;
};

}  // namespace reclaim::sim
