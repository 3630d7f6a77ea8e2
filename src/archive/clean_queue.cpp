#include "archive/clean_queue.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "archive/disperse.hpp"
#include "archive/onward.hpp"
#include "archive/quarantine.hpp"
#include "archive/queue_list.hpp"
#include "archive/queues.hpp"
#include "archive/segments.hpp"
#include "archive/stray.hpp"
#include "archive/tapes.hpp"

namespace reclaim::archive {
namespace {

using Entry = std::pair<SegmentId, std::uint64_t>;  // and the version that is expected

constexpr std::size_t kSegmentsAtOnce = 16;
constexpr int kAttempts = 3;
constexpr Millis kStep{30'000};

bool is_not_found(const Error& error) { return error.kind == Error::Kind::kNotFound; }

Entry entry_of(const stored::Queue::Pointer& pointer) {
  return {parse_segment_name(pointer.segment()).value(), pointer.expects()};  // of a decoded queue: well formed
}

// Written where it holds something, removed where not.
Edited written_or_gone(const stored::Queue& queue) { return queue.pointers().empty() ? Edited::kRemove : Edited::kWrite; }

}  // namespace

struct QueueCleaner::Batch {
  std::vector<SegmentId> chosen;
  std::vector<Entry> entries;   // of the chosen
  std::vector<SegmentAt> live;  // to be decided about
  std::set<SegmentId> leaving;  // whose entries as they were seen are dead
  std::uint64_t moved = 0;      // requests
};

QueueCleaner::QueueCleaner(const Context& context, Hand& hand, agents::Estate& estate, const Vid& vid)
    : context_(context), hand_(hand), estate_(estate), to_transfer_{vid, QueueType::kToTransfer}, to_report_{vid, QueueType::kToReport} {}

bool QueueCleaner::is_ours(const stored::Queue& queue) const {
  return queue.has_reservation() && queue.reservation().agent() == hand_.id().str();
}

Error QueueCleaner::lost() const {
  const ports::ObjectName queue = object_name(to_transfer_);
  hand_.lost(queue, "reservation");
  return conflict("the reservation of " + queue.str() + " was taken");
}

Result<Cleaned> QueueCleaner::run(std::size_t& budget, CleanupReport& report) {
  hand_.progress(kStep);
  if (budget == 0 && TRY(holds_something())) return Cleaned::kAtWork;
  const Cleaned reserved = TRY(reserve());
  if (reserved != Cleaned::kAtWork) {
    // Also what an error left: the queue is not ours, or not there, and its names still on the list.
    const bool was_ours = hand_.held().contains(object_name(to_report_));
    if (was_ours && reserved == Cleaned::kTaken) hand_.lost(object_name(to_transfer_), "reservation");
    if (was_ours) TRY(let_go());
    return reserved;
  }
  TRY(mark());
  for (;;) {
    hand_.progress(kStep);
    TRY(hand_.check());
    Batch batch;
    if (!TRY(choose(batch))) return conclude();
    if (budget == 0) return Cleaned::kAtWork;
    TRY(look(batch, report));
    std::size_t requests = 0;
    for (const SegmentAt& segment : batch.live) requests += static_cast<std::size_t>(segment.segment.requests_size());
    TRY(move(batch, report));
    TRY(drop(batch));
    budget -= std::min(budget, requests);
  }
}

Result<bool> QueueCleaner::holds_something() {
  const auto queue = TRY(read_queue(hand_.store(), to_transfer_));
  return queue && !queue->pointers().empty();
}

// Nobody has it, or one who does not exist any more.
Result<bool> QueueCleaner::may_take(const stored::Queue& queue) {
  if (!queue.has_reservation()) return true;
  const agents::AgentId holder = TRY(agents::parse_agent(queue.reservation().agent()));
  const Result<ports::Object> agent = hand_.store().read(holder.object());
  if (!agent.ok() && !is_not_found(agent.error())) return agent.error();
  return !agent.ok();
}

// kAtWork: it is reserved by this hand.
Result<Cleaned> QueueCleaner::reserve() {
  Cleaned outcome = Cleaned::kAtWork;
  TRY(edit_queue(hand_.store(), to_transfer_, [&](stored::Queue& queue) { return try_to_reserve(queue, outcome); }));
  return outcome;
}

// Recording comes between reading and writing: from then on whoever collects this agent finds both names and gives the queues a new
// version.
Result<Edited> QueueCleaner::try_to_reserve(stored::Queue& queue, Cleaned& outcome) {
  outcome = Cleaned::kAtWork;
  if (is_ours(queue)) return Edited::kNothing;
  if (queue.pointers().empty() && !queue.has_reservation()) {
    outcome = Cleaned::kEmpty;
    return Edited::kRemove;
  }
  if (!TRY(may_take(queue))) {
    outcome = Cleaned::kTaken;
    return Edited::kNothing;
  }
  TRY(hand_.hold({object_name(to_transfer_), object_name(to_report_)}));
  auto& reservation = *queue.mutable_reservation();
  reservation.Clear();
  reservation.set_agent(hand_.id().str());
  reservation.set_since_ms(context_.wall.ms);
  reservation.set_left(figures_of(queue).requests);
  return Edited::kWrite;
}

Status QueueCleaner::mark() {
  return edit_queue(hand_.store(), to_report_, [&](stored::Queue& queue) -> Result<Edited> {
    if (is_ours(queue)) return Edited::kNothing;
    TRY(hand_.hold({object_name(to_transfer_), object_name(to_report_)}));
    queue.mutable_reservation()->set_agent(hand_.id().str());
    queue.mutable_reservation()->set_since_ms(context_.wall.ms);
    return Edited::kWrite;
  });
}

// Some segments that were not seen yet. False: there are none.
Result<bool> QueueCleaner::choose(Batch& batch) {
  const auto queue = TRY(read_queue(hand_.store(), to_transfer_));
  if (!queue || !is_ours(*queue)) return lost();
  std::set<SegmentId> chosen;
  for (const auto& pointer : queue->pointers()) {
    const Entry entry = entry_of(pointer);
    if (seen_.contains(entry.first) || (chosen.size() == kSegmentsAtOnce && !chosen.contains(entry.first))) continue;
    chosen.insert(entry.first);
    batch.entries.push_back(entry);
  }
  batch.chosen.assign(chosen.begin(), chosen.end());
  return !chosen.empty();
}

Status QueueCleaner::look(Batch& batch, CleanupReport& report) {
  std::vector<ports::StoreCall> reads;
  for (const SegmentId& id : batch.chosen) reads.push_back(ports::read_call(object_name(id)));
  const std::vector<ports::StoreAnswer> answers = run_in_batches(hand_.store(), reads);
  for (std::size_t i = 0; i < answers.size(); ++i) TRY(judge(batch, batch.chosen[i], answers[i], report));
  return done();
}

Status QueueCleaner::judge(Batch& batch, const SegmentId& id, const ports::StoreAnswer& answer, CleanupReport& report) {
  if (!answer.ok() && answer.error().kind == Error::Kind::kCorrupt) return leave(id, answer.error(), report);
  if (!answer.ok() && !is_not_found(answer.error())) return answer.error();
  if (!answer.ok()) {
    batch.leaving.insert(id);
    return done();
  }
  Result<DecodedSegment> decoded = decode_segment(id, answer.value().bytes);
  if (!decoded.ok()) {
    const Status quarantined = quarantine(hand_.store(), id, answer.value(), decoded.error().message);
    if (!quarantined.ok() && quarantined.error().kind == Error::Kind::kCorrupt) return leave(id, quarantined.error(), report);
    TRY(quarantined);
    TRY(report.note(object_name(id).str() + " is set aside", decoded.error()));
    batch.leaving.insert(id);
    return done();
  }
  SegmentAt segment{id, std::move(decoded).value().segment, answer.value().version};
  if (segment.is_owned_by(to_transfer_)) {
    batch.live.push_back(std::move(segment));
  } else if (std::ranges::find(batch.entries, Entry{id, segment.version.number}) == batch.entries.end()) {
    batch.leaving.insert(id);
  } else {
    // On its way: whoever brings it may live. If not, it comes or goes now, and the next look shows which.
    const Result<Stray> stray = settle_stray(hand_, estate_, id);
    if (!stray.ok()) TRY(report.note(object_name(id).str(), stray.error()));
    if (!stray.ok() || stray.value() != Stray::kSettled || ++attempts_[id] >= kAttempts) seen_.insert(id);
  }
  return done();
}

// The queue stays, and with it the tape's pending state: what is in the segment is known to nobody. The others go on.
Status QueueCleaner::leave(const SegmentId& id, const Error& why, CleanupReport& report) {
  seen_.insert(id);
  return report.note(object_name(id).str() + " stays", why);
}

Status QueueCleaner::move(Batch& batch, CleanupReport& report) {
  std::vector<SegmentId> ids;
  std::vector<Dispersal> dispersals;
  std::vector<Onward> counts;
  for (Onward& onward : TRY(decide(context_, hand_.store(), std::exchange(batch.live, {}), to_transfer_.vid))) {
    const SegmentId id = onward.dispersal.from.id;
    if (onward.changes_nothing()) {
      seen_.insert(id);
      continue;
    }
    ids.push_back(id);
    dispersals.push_back(std::move(onward.dispersal));
    counts.push_back(std::move(onward));
  }
  if (dispersals.empty()) return done();
  const std::vector<Dispersed> dispersed = TRY(disperse(hand_, dispersals));
  for (std::size_t i = 0; i < dispersed.size(); ++i) {
    if (dispersed[i].moved != Moved::kDone) {
      report.refused += dispersed[i].moved == Moved::kLost ? 1 : 0;
      if (++attempts_[ids[i]] >= kAttempts) seen_.insert(ids[i]);
      continue;
    }
    report.requeued += counts[i].requeued;
    report.failed += counts[i].failed;
    report.ended += counts[i].ended;
    batch.moved += dispersals[i].ways.size() - counts[i].stays - counts[i].waits;
    (counts[i].stays + counts[i].waits == 0 ? batch.leaving : seen_).insert(ids[i]);
  }
  return done();
}

Status QueueCleaner::drop(const Batch& batch) {
  if (batch.leaving.empty() && batch.moved == 0) return done();
  return edit_queue(hand_.store(), to_transfer_, [&](stored::Queue& queue) -> Result<Edited> {
    if (!is_ours(queue)) return lost();
    bool dropped = false;
    for (const auto& [id, expects] : batch.entries) {
      if (batch.leaving.contains(id)) dropped |= drop_entry(queue, id, ports::Version{expects});
    }
    if (!dropped && batch.moved == 0) return Edited::kNothing;
    queue.mutable_reservation()->set_done(queue.reservation().done() + batch.moved);
    queue.mutable_reservation()->set_left(figures_of(queue).requests);
    return Edited::kWrite;
  });
}

// All was seen. It stays reserved while its tape does not accept what is left.
Result<Cleaned> QueueCleaner::conclude() {
  const auto tape = TRY(find_tapes(context_, {to_transfer_.vid}));
  const std::optional<TapeState> state = tape.empty() ? std::nullopt : std::optional(tape.front().spec.state);
  Cleaned outcome = Cleaned::kEmpty;
  TRY(edit_queue(hand_.store(), to_transfer_, [&](stored::Queue& queue) -> Result<Edited> {
    if (!is_ours(queue)) return lost();
    const bool is_empty = queue.pointers().empty();
    outcome = is_empty ? Cleaned::kEmpty : Cleaned::kKept;
    if (!is_empty && cleanup_of(to_transfer_, queue, state)->requested) {
      outcome = Cleaned::kWaiting;
      return Edited::kNothing;
    }
    queue.clear_reservation();
    return written_or_gone(queue);
  }));
  if (outcome != Cleaned::kWaiting) TRY(let_go());
  return outcome;
}

Status QueueCleaner::let_go() {
  TRY(edit_queue(hand_.store(), to_report_, [&](stored::Queue& queue) -> Result<Edited> {
    if (!is_ours(queue)) return Edited::kNothing;
    queue.clear_reservation();
    return written_or_gone(queue);
  }));
  hand_.let_go({object_name(to_transfer_), object_name(to_report_)});
  return done();
}

Status release_mark(ports::ObjectStore& store, const Vid& vid) {
  return edit_queue(store, {vid, QueueType::kToReport}, [&](stored::Queue& queue) -> Result<Edited> {
    if (!queue.has_reservation()) return Edited::kNothing;
    // Asked after the mark was read: a cleaner reserves first and marks then, which refuses this write.
    const auto to_transfer = TRY(read_queue(store, {vid, QueueType::kToTransfer}));
    if (to_transfer && to_transfer->has_reservation()) return Edited::kNothing;
    queue.clear_reservation();
    return written_or_gone(queue);
  });
}

}  // namespace reclaim::archive
