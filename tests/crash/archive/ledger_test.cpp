// Requests come in, are cancelled and taken back, and whoever does it is stopped at every call to the store and the catalogue. When the
// dead were collected and all has come to rest, nothing is unaccounted (C1).
#include "archive/ledger.hpp"

#include <gtest/gtest.h>

#include <iostream>

#include "archive/cancel.hpp"
#include "crash/hands/hands.hpp"
#include "sim/faulty_store.hpp"
#include "support/archive_world.hpp"
#include "unit/archive/desk.hpp"

namespace reclaim::archive {
namespace {

using samples::submission;

// Once more where the answer was lost.
std::unique_ptr<agents::Agent> join(ports::ObjectStore& store) {
  Result<std::unique_ptr<agents::Agent>> joined = agents::Agent::register_as(store, "desk", "desk");
  if (!joined.ok()) joined = agents::Agent::register_as(store, "desk", "desk");
  return std::move(joined).value();
}

struct Story : samples::Archive {
  Story() : Archive({"V1", "V2"}) {
    for (const char* file : {"f1", "gone"}) add_file(file, {"V1"});
    add_file("f2", {"V2"});
  }

  void submit(Enqueuer& enqueuer, const Context& through, std::initializer_list<const char*> files) {
    std::vector<Submission> wanted;
    for (const char* file : files) wanted.push_back(submission(file));
    for (const Result<Enqueued>& answer : enqueuer.enqueue(through, wanted, samples::kNow)) {
      if (answer.ok()) acknowledged.push_back(answer.value().id);
    }
  }

  // Two queues, appends to both, a file that is removed while it is asked for, one that its requester does not want any more.
  void go(ports::ObjectStore& store, const Context& through) {
    const auto agent = join(store);
    Hand hand(store, *agent);
    Enqueuer enqueuer(hand);
    submit(enqueuer, through, {"f1", "f2", "f1"});
    submit(enqueuer, through, {"f2", "f1"});
    if (!acknowledged.empty()) {
      (void)cancel_request(hand, through, acknowledged.front(), [&](const SegmentId& segment) { enqueuer.close(segment); });
    }
    const auto second = join(store);
    samples::Interrupted watched(store, 0, [&] { remove_file(context, FileId("gone"), [] { return Result<bool>(false); }).value(); });
    Hand other(watched, *second);
    Enqueuer beside(other);
    submit(beside, through, {"f1", "gone", "gone", "f2"});
  }

  Ledger at_rest(const std::string& where) {
    test::Process collector(*database, memory, "collector");
    for (const std::string& problem : collector.run_all()) ADD_FAILURE() << where << ": " << problem;
    const TakenLedger taken = take_ledger(context, memory).value();
    EXPECT_TRUE(taken.is_settled) << where;
    return taken.ledger;
  }

  // On record as ended, and in the store all the same.
  int both() {
    int both = 0;
    const auto ended = find_ended(context, acknowledged).value();
    for (std::size_t i = 0; i < ended.size(); ++i) both += ended[i] && locate(memory, acknowledged[i]).value() ? 1 : 0;
    return both;
  }

  std::vector<RequestId> acknowledged;
};

// How many calls there were.
int run(int at, sim::Outcome outcome, std::uint64_t seed) {
  Story story;
  sim::Fault fault{.at = at, .outcome = outcome};
  sim::FaultyStore store(story.memory, fault, seed);
  sim::FaultyDatabase database(*story.database, fault);
  try {
    story.go(store, {database, {samples::kNow}, "test"});
  } catch (const sim::Crash&) {
  }
  const std::string where = in_words(fault);
  const Ledger ledger = story.at_rest(where);
  EXPECT_EQ(ledger.unaccounted(), 0) << where;
  EXPECT_TRUE(outcome == sim::Outcome::kAnswerLost || story.both() == 0) << where << ": who collects the dead leaves out what has ended";
  EXPECT_GE(ledger.enqueued, static_cast<std::int64_t>(story.acknowledged.size())) << where;
  if (at < 0) {
    EXPECT_EQ(ledger.enqueued, 9);
    EXPECT_EQ(ledger.queued, 6);
    EXPECT_EQ(ledger.removed, 2) << "the file was gone";
    EXPECT_EQ(ledger.cancelled, 1);
  }
  return fault.calls;
}

TEST(LedgerCrashes, LeaveNothingUnaccounted) {
  const int calls = run(-1, sim::Outcome::kStopBefore, 0);
  int points = 0;
  for (int at = 0; at < calls; ++at) {
    for (const sim::Outcome outcome : sim::kOutcomes) {
      run(at, outcome, static_cast<std::uint64_t>(at));
      ++points;
    }
  }
  std::cout << "crash points: ledger: " << calls << " calls, " << points << " points\n";
}

}  // namespace
}  // namespace reclaim::archive
