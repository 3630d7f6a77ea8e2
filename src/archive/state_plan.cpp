#include "archive/state_plan.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "archive/placement.hpp"
#include "archive/queues.hpp"
#include "archive/segments.hpp"
#include "archive/tapes.hpp"

namespace reclaim::archive {
namespace {

constexpr std::size_t kSegmentsAtOnce = 16;  // in memory: megabytes each, with at most 10,000 tapes of their requests
constexpr std::size_t kSegmentsMax = 5000;   // ten million requests
constexpr std::int64_t kDayMs = 86'400'000;

Result<TapeState> state_after(const Tape& tape, TapeState asked) {
  const std::string name(name_of(asked));
  const std::optional<TapeEvent> event = asking_for(asked);
  if (!event) return invalid("state", name + " comes by itself: ask for " + std::string(name_of(*once_cleaned(asked))));
  const std::optional<TapeState> becomes = next(tape.spec.state, *event);
  if (becomes) return *becomes;
  return conflict("tape " + tape.spec.vid.str() + " is " + std::string(name_of(tape.spec.state)) + " and cannot become " + name);
}

Result<std::vector<SegmentId>> segments_of(ports::ObjectStore& store, const QueueId& id) {
  std::set<SegmentId> segments;
  if (const auto queue = TRY(read_queue(store, id))) {
    for (const auto& pointer : queue->pointers()) segments.insert(TRY(parse_segment_name(pointer.segment())));
  }
  return std::vector<SegmentId>(segments.begin(), segments.end());
}

// One batch of segments, decided as by a cleaner that finds the tape in its new state.
class Planner {
 public:
  Planner(const Context& context, ports::ObjectStore& store, QueueId queue, StatePlan& plan)
      : context_(context), store_(store), queue_(std::move(queue)), plan_(plan) {}

  Status add(std::span<const SegmentId> ids) {
    const std::vector<std::optional<SegmentAt>> segments = TRY(read_segments(store_, ids));
    std::set<Vid> unseen;
    for (const auto& at : segments) {
      if (!at) continue;
      for (const Vid& vid : tapes_of(at->segment)) {
        if (!seen_.contains(vid)) unseen.insert(vid);
      }
    }
    TRY(look(unseen));
    for (const auto& at : segments) {
      if (!at || !at->is_owned_by(queue_)) continue;
      for (const stored::Request& request : at->segment.requests()) decide(request);
    }
    return done();
  }

 private:
  // A tape is looked at once: what the plan puts there counts from then on.
  Status look(const std::set<Vid>& vids) {
    constexpr std::size_t kTapesAtOnce = 10'000;
    for (auto from = vids.begin(); from != vids.end();) {
      std::set<Vid> some;
      for (; from != vids.end() && some.size() < kTapesAtOnce; ++from) some.insert(*from);
      tapes_.merge(TRY(look_at_tapes(context_, store_, some)));
    }
    seen_.insert(vids.begin(), vids.end());
    if (const auto own = tapes_.find(queue_.vid); own != tapes_.end()) own->second.state = plan_.becomes;
    return done();
  }

  void decide(stored::Request request) {
    if (accepts(plan_.becomes, request.kind())) {
      ++plan_.staying;
      return;
    }
    const QueueId to = send_on(request, tapes_, context_.wall.ms / kDayMs, queue_.vid);
    if (to.type == QueueType::kToTransfer) {
      ++plan_.requeued[to.vid];
    } else {
      ++plan_.failed;
    }
  }

  const Context& context_;
  ports::ObjectStore& store_;
  const QueueId queue_;
  StatePlan& plan_;
  TapeStandings tapes_;
  std::set<Vid> seen_;
};

}  // namespace

Result<StatePlan> plan_tape_state(const Context& context, ports::ObjectStore& store, const Vid& vid, TapeState asked) {
  const Tape tape = TRY(find_tape(context, vid));
  StatePlan plan{.becomes = TRY(state_after(tape, asked))};
  const QueueId queue{vid, QueueType::kToTransfer};
  const std::vector<SegmentId> segments = TRY(segments_of(store, queue));
  plan.more = segments.size() > kSegmentsMax;
  const std::span<const SegmentId> all = std::span(segments).first(std::min(segments.size(), kSegmentsMax));
  Planner planner(context, store, queue, plan);
  for (std::size_t at = 0; at < all.size(); at += kSegmentsAtOnce) {
    TRY(planner.add(all.subspan(at, std::min(kSegmentsAtOnce, all.size() - at))));
  }
  return plan;
}

}  // namespace reclaim::archive
