#include "sim/unreliable_store.hpp"

#include <utility>

#include "sim/crash.hpp"

namespace reclaim::sim {
namespace {

using ports::StoreAnswer;
using ports::StoreCall;

constexpr std::uint32_t kArrivesPermille = 60;  // of the late ones, with each call of anybody

std::string text_of(const StoreCall& call) { return std::string(name_of(call.op)) + " " + call.name.str(); }

}  // namespace

std::vector<StoreAnswer> UnreliableStore::run(std::span<const StoreCall> calls) {
  if (!late_.empty() && dice_.happens(kArrivesPermille)) {
    for (const std::string& arrived : deliver_late(1)) tell_(arrived);
  }
  if (faults_.strikes(FaultKind::kDeath)) die(calls);
  std::vector<StoreCall> passed;
  std::vector<Fate> fates;
  for (const StoreCall& call : calls) {
    const Fate fate = fate_of(call);
    fates.push_back(fate);
    if (fate == Fate::kPlain || fate == Fate::kSilent) passed.push_back(call);
    if (fate == Fate::kLate) late_.push_back(call);
    if (fate == Fate::kAway) tell_("the store is away: " + text_of(call));
    if (fate == Fate::kLate) tell_("nobody answers, and it is under way still: " + text_of(call));
    if (fate == Fate::kSilent) tell_("nobody hears what comes of it: " + text_of(call));
  }
  std::vector<StoreAnswer> passed_answers = passed.empty() ? std::vector<StoreAnswer>() : inner_.run(passed);
  std::vector<StoreAnswer> answers;
  std::size_t next = 0;
  for (const Fate fate : fates) {
    if (fate == Fate::kPlain || fate == Fate::kSilent) ++next;
    answers.push_back(fate == Fate::kPlain ? std::move(passed_answers[next - 1]) : StoreAnswer(unavailable("the store does not answer")));
  }
  return answers;
}

Result<std::vector<std::string>> UnreliableStore::list(const std::string& kind, const std::string& after, std::size_t limit) {
  if (!faults_.strikes(FaultKind::kStoreAway)) return inner_.list(kind, after, limit);
  tell_("the store is away: list " + kind);
  return unavailable("the store does not answer");
}

std::vector<std::string> UnreliableStore::deliver_late(std::size_t most) {
  std::vector<std::string> arrived;
  for (; !late_.empty() && arrived.size() < most;) {
    const std::size_t at = dice_.below(late_.size());
    const StoreCall call = late_[at];
    late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(at));
    const std::vector<StoreAnswer> answers = raw_.run(std::span(&call, 1));
    arrived.push_back("arrives late: " + text_of(call) + ": " + (answers.front().ok() ? "done" : answers.front().error().message));
  }
  return arrived;
}

UnreliableStore::Fate UnreliableStore::fate_of(const StoreCall& call) {
  if (faults_.strikes(FaultKind::kStoreAway)) return Fate::kAway;
  if (faults_.strikes(FaultKind::kStoreSilent)) return Fate::kSilent;
  if (call.op != StoreCall::Op::kRead && faults_.strikes(FaultKind::kStoreLate)) return Fate::kLate;
  return Fate::kPlain;
}

void UnreliableStore::die(std::span<const StoreCall> calls) {
  std::vector<StoreCall> applied;
  for (const StoreCall& call : calls) {
    if (!dice_.happens(500)) continue;
    applied.push_back(call);
    tell_("dies, and this happens still: " + text_of(call));
  }
  if (applied.empty()) tell_("dies before it");
  if (!applied.empty()) (void)raw_.run(applied);
  throw Crash{};
}

}  // namespace reclaim::sim
