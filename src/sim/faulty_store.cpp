#include "sim/faulty_store.hpp"

#include "sim/coverage.hpp"

namespace reclaim::sim {
namespace {

using ports::StoreAnswer;
using ports::StoreCall;

constexpr const char* kLastDone = "done, the process ends";
constexpr const char* kLastNotDone = "not done, the process ends";

Error lost_answer() { return unavailable("the answer was lost"); }

// A coin that falls the same way for the same numbers (the last steps of splitmix64).
bool coin(std::uint64_t seed, std::uint64_t number) {
  std::uint64_t bits = seed * 0x9e3779b97f4a7c15U + number + 1;
  bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebU;
  return ((bits ^ (bits >> 31U)) & 1U) == 1U;
}

std::string in_words(const StoreCall& call) {
  const std::string version = call.version == ports::Version{} ? "" : " at version " + std::to_string(call.version.number);
  return std::string(name_of(call.op)) + " " + call.name.str() + version;
}

}  // namespace

std::size_t FaultyStore::arrive(std::size_t count) {
  const auto first = fault_.calls;
  fault_.calls += static_cast<int>(count);
  if (fault_.happened || fault_.at < first || fault_.at >= fault_.calls) return count;
  fault_.happened = true;
  return static_cast<std::size_t>(fault_.at - first);
}

void FaultyStore::stop(std::span<const StoreCall> calls, std::size_t at) {
  if (!ports::check_batch(calls).ok()) throw Crash{};
  const int first = fault_.at - static_cast<int>(at);
  std::vector<StoreCall> applied;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::uint64_t number = static_cast<std::uint64_t>(fault_.at) * ports::kStoreBatchMax + i;
    const bool is_applied = i == at ? fault_.outcome == Outcome::kStopAfter : coin(seed_, number);
    if (is_applied) applied.push_back(calls[i]);
    fault_.tell(first + static_cast<int>(i), in_words(calls[i]), is_applied ? kLastDone : kLastNotDone);
  }
  (void)inner_.run(applied);
  throw Crash{};
}

std::vector<StoreAnswer> FaultyStore::run(std::span<const StoreCall> calls) {
  const int first = fault_.calls;
  const std::size_t at = arrive(calls.size());
  if (at < calls.size()) note_crossing("store", name_of(calls[at].op));
  if (at < calls.size() && fault_.outcome != Outcome::kAnswerLost) stop(calls, at);
  std::vector<StoreAnswer> answers = inner_.run(calls);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const int number = first + static_cast<int>(i);
    const std::string became = answers[i].ok() ? "done" : std::string(name_of(answers[i].error().kind));
    fault_.tell(number, in_words(calls[i]), i == at ? became + ", not answered" : became);
  }
  if (at < calls.size()) answers[at] = lost_answer();
  return answers;
}

Result<std::vector<std::string>> FaultyStore::list(const std::string& kind, const std::string& after, std::size_t limit) {
  const int number = fault_.calls;
  if (arrive(1) == 1) {
    Result<std::vector<std::string>> names = inner_.list(kind, after, limit);
    fault_.tell(number, "list " + kind, names.ok() ? std::to_string(names.value().size()) + " found" : "failed");
    return names;
  }
  note_crossing("store", "list");
  fault_.tell(number, "list " + kind, fault_.outcome == Outcome::kAnswerLost ? "not answered" : kLastNotDone);
  if (fault_.outcome == Outcome::kAnswerLost) return lost_answer();
  throw Crash{};
}

}  // namespace reclaim::sim
