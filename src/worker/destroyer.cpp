#include "worker/destroyer.hpp"

#include <algorithm>
#include <utility>

namespace reclaim::worker {
namespace {

constexpr std::size_t kFailuresMax = 10'000;
constexpr std::size_t kErrorTextMax = 1'000;
constexpr std::size_t kUnansweredMax = wire::kInHandMax / 2;  // results; over it no order is taken

std::int64_t attempt_of(const std::map<std::string, std::int64_t>& failures, const std::string& handle) {
  const auto found = failures.find(handle);
  return found == failures.end() ? 1 : found->second + 1;
}

}  // namespace

std::size_t Destroyer::accept(ResourceKind kind, const std::vector<std::string>& handles, std::int64_t mark) {
  Hand& hand = hands_[kind];
  std::size_t taken = 0;
  for (const std::string& handle : handles) {
    if (hand.queued.size() + hand.running.size() >= kOrdersMax || results_.size() >= kUnansweredMax) break;
    if (hand.running.contains(handle) || !hand.queued.emplace(handle, mark).second) continue;
    (hand.failures.contains(handle) ? hand.again : hand.fresh).push_back(handle);
    ++taken;
  }
  return taken;
}

std::vector<Start> Destroyer::start(Instant now) {
  std::vector<Start> starts;
  if (trusted_until_ && now > *trusted_until_) drop_queued();
  for (const ResourceKind kind : kResourceKinds) {
    Hand& hand = hands_[kind];
    pen_stragglers(hand, limits_.in_flight[kind], now);
    for (std::size_t free = free_slots(hand, slots_[kind].limit()); free > 0 && !hand.queued.empty(); --free) {
      std::deque<std::string>& queue = hand.fresh.empty() ? hand.again : hand.fresh;
      std::string handle = std::move(queue.front());
      queue.pop_front();
      const std::int64_t mark = hand.queued.extract(handle).mapped();
      hand.running.emplace(handle, Running{mark, now, now + limits_.timeout});
      starts.push_back({kind, std::move(handle), now + limits_.timeout});
    }
  }
  return starts;
}

void Destroyer::pen_stragglers(Hand& hand, std::size_t in_flight, Instant now) const {
  auto penned = static_cast<std::size_t>(std::ranges::count_if(hand.running, [](const auto& entry) { return entry.second.penned; }));
  for (auto& [handle, running] : hand.running) {
    if (penned >= in_flight * kPenFactor) return;
    if (running.penned || now - running.since < limits_.straggler_after) continue;
    running.penned = true;
    ++penned;
  }
}

std::size_t Destroyer::free_slots(const Hand& hand, std::size_t slots) {
  const auto held = static_cast<std::size_t>(std::ranges::count_if(hand.running, [](const auto& entry) { return !entry.second.penned; }));
  return held < slots ? slots - held : 0;
}

std::optional<Instant> Destroyer::next_start() const {
  std::optional<Instant> next;
  for (const ResourceKind kind : kResourceKinds) {
    const Hand& hand = hands_[kind];
    if (hand.queued.empty() || hand.running.size() >= running_max(limits_.in_flight[kind])) continue;
    for (const auto& [handle, running] : hand.running) {
      const Instant at = running.since + limits_.straggler_after;
      if (!running.penned && (!next || at < *next)) next = at;
    }
  }
  return next;
}

void Destroyer::finished(ResourceKind kind, const std::string& handle, const Status& outcome, Instant now) {
  Hand& hand = hands_[kind];
  const auto running = hand.running.extract(handle);
  check(!running.empty(), "a finished order was running");
  wire::DestroyResult result{kind, handle, outcome.ok(), {}, attempt_of(hand.failures, handle), false};
  const Millis took = std::max(Millis(0), now - running.mapped().since);
  result.took_ms = took.count();
  if (result.attempt == 1) outcome.ok() ? slots_[kind].succeeded(took) : slots_[kind].failed();
  if (outcome.ok()) {
    hand.failures.erase(handle);
  } else {
    result.error = outcome.error().message.substr(0, kErrorTextMax);
    // Over the bound a handle only loses its place at the end of the queue.
    if (hand.failures.size() < kFailuresMax || hand.failures.contains(handle)) ++hand.failures[handle];
  }
  results_.push_back({std::move(result), running.mapped().mark});
}

void Destroyer::drop_queued() {
  for (const ResourceKind kind : kResourceKinds) {
    hands_[kind].fresh.clear();
    hands_[kind].again.clear();
    hands_[kind].queued.clear();
  }
}

void Destroyer::forget_marks() {
  for (const ResourceKind kind : kResourceKinds) {
    for (auto& [handle, mark] : hands_[kind].queued) mark = 0;
    for (auto& [handle, running] : hands_[kind].running) running.mark = 0;
  }
  for (Pending& pending : results_) pending.mark = 0;
}

Report Destroyer::report(std::int64_t sequence, std::int64_t as_of, Instant now) {
  Report report;
  report_results(report, sequence, as_of);
  for (const ResourceKind kind : kResourceKinds) {
    const Hand& hand = hands_[kind];
    for (const auto& [handle, mark] : hand.queued) report.in_hand[kind].push_back(handle);
    for (const auto& [handle, running] : hand.running) {
      report.in_hand[kind].push_back(handle);
      if (now < running.deadline || report.results.size() == wire::kResultsMax) continue;
      const std::string error = "still running " + std::to_string((now - running.since).count() / 1000) + " s after it was started";
      report.results.push_back({kind, handle, false, error, attempt_of(hand.failures, handle), true});
    }
  }
  return report;
}

// What does not go with this sync is in hand for the server, which then neither orders it again nor takes it for gone.
void Destroyer::report_results(Report& report, std::int64_t sequence, std::int64_t as_of) {
  for (Pending& pending : results_) {
    const wire::DestroyResult& result = pending.result;
    if (pending.mark <= as_of && report.results.size() < wire::kResultsMax) {
      pending.carried_by = sequence;
      report.results.push_back(result);
    } else if (!hands_[result.kind].queued.contains(result.handle) && !hands_[result.kind].running.contains(result.handle)) {
      report.in_hand[result.kind].push_back(result.handle);
    }
  }
}

void Destroyer::answered(std::int64_t sequence) {
  std::erase_if(results_, [sequence](const Pending& pending) { return pending.carried_by == sequence; });
}

bool Destroyer::has_unsent_results() const {
  return std::ranges::any_of(results_, [](const Pending& pending) { return pending.carried_by == 0; });
}

std::size_t Destroyer::queued_count() const { return hands_.containers.queued.size() + hands_.volumes.queued.size(); }
std::size_t Destroyer::running_count() const { return hands_.containers.running.size() + hands_.volumes.running.size(); }

}  // namespace reclaim::worker
