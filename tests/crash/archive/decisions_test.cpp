// What operators and requesters decide about a request, stopped at every call to the store and the catalogue: the request is where it was,
// or where it was to go, or on record; a second try brings it there, and what has ended is counted once. At every moment all requests are
// accounted for (C1).
#include <gtest/gtest.h>

#include <iostream>
#include <optional>

#include "archive/cancel.hpp"
#include "archive/ended.hpp"
#include "archive/failed.hpp"
#include "archive/ledger.hpp"
#include "sim/faulty_store.hpp"
#include "unit/archive/desk.hpp"

namespace reclaim::archive {
namespace {

using samples::kFailedQueue;
using stored::Request;

void failed(Request& request) {
  request.set_state(Request::FAILED);
  request.mutable_attempts()->set_total(6);
}

// Three requests of one segment: the middle one is decided on.
struct World {
  explicit World(bool in_failed_queue) {
    desk.add_file("f1", {"V1"});
    for (int i = 0; i < 3; ++i) ids.push_back(desk.enqueue("f1").value().id);
    if (in_failed_queue) {
      for (const RequestId& id : ids) desk.send(id, kFailedQueue, failed);
    }
    desk.enqueuer.rest();
  }

  Context through(ports::Database& database) const { return {database, {samples::kNow}, "test"}; }
  std::optional<ShownRequest> find(const RequestId& id) {
    const Result<ShownRequest> found = show_request(desk.context, desk.memory, id);
    return found.ok() ? std::optional(found.value()) : std::nullopt;
  }

  std::int64_t unaccounted() { return take_ledger(desk.context, desk.memory).value().ledger.unaccounted(); }

  samples::Desk desk{"V1"};
  std::vector<RequestId> ids;
};

using Decision = std::function<Status(Hand&, const Context&, const RequestId&)>;

Status cancel(Hand& hand, const Context& context, const RequestId& id) {
  TRY(cancel_request(hand, context, id, [](const SegmentId&) {}));
  return done();
}
Status retry(Hand& hand, const Context& context, const RequestId& id) {
  TRY(retry_failed(hand, context, id, samples::kNow));
  return done();
}
Status remove(Hand& hand, const Context& context, const RequestId& id) {
  TRY(remove_failed(hand, context, id));
  return done();
}

struct Story {
  const char* name;
  bool in_failed_queue;
  Decision decide;
  std::int64_t ended;  // afterwards
};

// Decides under a fault, and once more by another desk that finds the store well.
int run(const Story& story, int at, sim::Outcome outcome) {
  World world(story.in_failed_queue);
  const auto agent = agents::Agent::register_as(world.desk.memory, "first", "desk").value();
  sim::Fault fault{.at = at, .outcome = outcome};
  sim::FaultyStore store(world.desk.memory, fault, static_cast<std::uint64_t>(at));
  sim::FaultyDatabase database(*world.desk.database, fault);
  // The agent's own list is written past the fault: what it does about a lost answer is its own story.
  Hand hand(store, *agent);
  Status decided;
  try {
    decided = story.decide(hand, world.through(database), world.ids[1]);
  } catch (const sim::Crash&) {
    decided = unavailable("stopped");
  }
  const std::string what = std::string("to ") + story.name + " is " + in_words(fault);
  for (const Finding& finding : check_store(world.desk.memory).value().findings) {
    EXPECT_TRUE(is_leftover(finding.kind)) << what << ": " << finding.sentence;
  }
  EXPECT_EQ(world.unaccounted(), 0) << what;
  const Status again = story.decide(world.desk.hand, world.desk.context, world.ids[1]);
  if (decided.ok()) {
    EXPECT_FALSE(again.ok()) << what << ": it was decided already";
  } else if (!again.ok()) {
    EXPECT_TRUE(again.error().kind == Error::Kind::kNotFound || again.error().kind == Error::Kind::kConflict)
        << what << ": " << again.error().message;
  }
  EXPECT_EQ(world.unaccounted(), 0) << what << ", and once more";
  const EndedCounts counts = count_ended(world.desk.context).value();
  EXPECT_EQ(counts.cancelled + counts.removed, story.ended) << what;
  const std::optional<ShownRequest> found = world.find(world.ids[1]);
  EXPECT_EQ(found.has_value(), story.ended == 0) << what;
  EXPECT_TRUE(!found || found->request.round() == 2U) << what << ": one round begins, not two";
  for (const std::size_t other : {0U, 2U}) {
    const std::optional<ShownRequest> there = world.find(world.ids[other]);
    EXPECT_TRUE(there && there->state == (story.in_failed_queue ? RequestState::kFailed : RequestState::kQueued)) << what;
  }
  return fault.calls;
}

TEST(DecisionCrashes, LeaveEachRequestWhereItCounts) {
  const Story stories[] = {{"cancel", false, cancel, 1}, {"retry", true, retry, 0}, {"remove", true, remove, 1}};
  for (const Story& story : stories) {
    const int calls = run(story, -1, sim::Outcome::kStopBefore);
    for (int at = 0; at < calls; ++at) {
      for (const sim::Outcome outcome : sim::kOutcomes) run(story, at, outcome);
    }
    std::cout << "crash points: " << story.name << ": " << calls << " calls, " << calls * 3 << " points\n";
  }
}

}  // namespace
}  // namespace reclaim::archive
