#include "archive/cleanup.hpp"

#include <map>
#include <optional>
#include <set>

#include "archive/clean_queue.hpp"
#include "archive/estate.hpp"
#include "archive/mounts.hpp"
#include "archive/queue_list.hpp"
#include "archive/tapes.hpp"

namespace reclaim::archive {
namespace {

constexpr std::size_t kQueuesAtOnce = 1000;
constexpr std::size_t kProblemsMax = 100;

// What there is to do, found by looking.
struct Due {
  std::map<Vid, std::optional<PendingTape>> tapes;
  std::set<Vid> marked;  // to-report queues
};

Result<Due> find_due(const Context& context, ports::ObjectStore& store) {
  Due due;
  std::string after;
  for (std::size_t found = kQueuesAtOnce; found == kQueuesAtOnce;) {
    const auto queues = TRY(list_queues(context, store, {.vid = {}, .type = {}, .cleanup = true}, after, kQueuesAtOnce));
    for (const ListedQueue& queue : queues) {
      if (queue.id.type == QueueType::kToTransfer) due.tapes.emplace(queue.id.vid, std::nullopt);
      if (queue.id.type == QueueType::kToReport && queue.cleanup->cleaner) due.marked.insert(queue.id.vid);
    }
    found = queues.size();
    if (found > 0) after = queues.back().key();
  }
  // Asked last, and before any of their queues is looked at again: a stay that is ended here had begun by then.
  for (PendingTape& tape : TRY(pending_tapes(context))) {
    const Vid vid = tape.vid;
    due.tapes.insert_or_assign(vid, std::move(tape));
  }
  return due;
}

// By somebody who lives; a mount by one who does not goes.
Result<bool> is_mounted(ports::ObjectStore& store, const Vid& vid) {
  const auto mount = TRY(find_mount(store, vid));
  if (!mount) return false;
  if (TRY(is_held(store, *mount))) return true;
  TRY(remove_mount(store, *mount));
  return false;
}

Status finish(const Context& context, ports::ObjectStore& store, const PendingTape& tape, CleanupReport& report) {
  if (TRY(is_mounted(store, tape.vid))) {
    ++report.waiting;
  } else if (TRY(finish_pending(context, tape))) {
    ++report.finished;
  }
  return done();
}

Status attend(const Context& context, Hand& hand, agents::Estate& estate, const Vid& vid, const std::optional<PendingTape>& pending,
              std::size_t& budget, CleanupReport& report) {
  QueueCleaner cleaner(context, hand, estate, vid);
  switch (TRY(cleaner.run(budget, report))) {
    case Cleaned::kEmpty: return pending ? finish(context, hand.store(), *pending, report) : done();
    case Cleaned::kKept: return done();
    case Cleaned::kAtWork: report.more = true; return done();
    case Cleaned::kWaiting:
    case Cleaned::kTaken: ++report.waiting; return done();
  }
  return done();
}

}  // namespace

Status CleanupReport::note(const std::string& what, const Status& status) {
  if (status.ok()) return done();
  if (status.error().kind == Error::Kind::kFenced) return status;
  if (problems.size() < kProblemsMax) problems.push_back(what + ": " + status.error().message);
  return done();
}

Result<CleanupReport> clean_up(const Context& context, Hand& hand, agents::Estate& estate, std::size_t budget) {
  CleanupReport report;
  TRY(hand.check());
  // What an error left of the last pass.
  TRY(report.note("what was in hand", give_back(hand, estate, "segment")));
  const Due due = TRY(find_due(context, hand.store()));
  // Each tape has its share of what is left, so that a long queue does not keep those behind it waiting.
  std::size_t tapes = due.tapes.size();
  for (const auto& [vid, pending] : due.tapes) {
    const std::size_t share = (budget + tapes - 1) / tapes;
    std::size_t left = share;
    TRY(report.note("tape " + vid.str(), attend(context, hand, estate, vid, pending, left, report)));
    budget -= share - left;
    --tapes;
  }
  for (const Vid& vid : due.marked) TRY(report.note("tape " + vid.str(), release_mark(hand.store(), vid)));
  TRY(report.note(hand.id().str(), hand.rest()));
  return report;
}

}  // namespace reclaim::archive
