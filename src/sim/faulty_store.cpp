#include "sim/faulty_store.hpp"

#include "sim/coverage.hpp"

namespace reclaim::sim {
namespace {

using ports::StoreAnswer;
using ports::StoreCall;

Error lost_answer() { return unavailable("the answer was lost"); }

// A coin that falls the same way for the same numbers (the last steps of splitmix64).
bool coin(std::uint64_t seed, std::uint64_t number) {
  std::uint64_t bits = seed * 0x9e3779b97f4a7c15U + number + 1;
  bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebU;
  return ((bits ^ (bits >> 31U)) & 1U) == 1U;
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
  std::vector<StoreCall> applied;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::uint64_t number = static_cast<std::uint64_t>(fault_.at) * ports::kStoreBatchMax + i;
    if (i == at ? fault_.outcome == Outcome::kStopAfter : coin(seed_, number)) applied.push_back(calls[i]);
  }
  (void)inner_.run(applied);
  throw Crash{};
}

std::vector<StoreAnswer> FaultyStore::run(std::span<const StoreCall> calls) {
  const std::size_t at = arrive(calls.size());
  if (at < calls.size()) note_crossing("store", name_of(calls[at].op));
  if (at < calls.size() && fault_.outcome != Outcome::kAnswerLost) stop(calls, at);
  std::vector<StoreAnswer> answers = inner_.run(calls);
  if (at < calls.size()) answers[at] = lost_answer();
  return answers;
}

Result<std::vector<std::string>> FaultyStore::list(const std::string& kind, const std::string& after, std::size_t limit) {
  if (arrive(1) == 1) return inner_.list(kind, after, limit);
  note_crossing("store", "list");
  if (fault_.outcome == Outcome::kAnswerLost) return lost_answer();
  throw Crash{};
}

}  // namespace reclaim::sim
