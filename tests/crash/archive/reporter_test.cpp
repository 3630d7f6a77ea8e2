// A reporter that is stopped at every call to the store, the database and its requesters, or hears no answer. Whoever comes next ends it:
// every request is told of, or kept for the operator, and found in one place (A1, A2); what is on record as told has a receipt.
#include "archive/reporter.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>

#include "crash/hands/hands.hpp"
#include "sim/crash.hpp"
#include "sim/faulty_sink.hpp"
#include "sim/faulty_store.hpp"
#include "support/reporting.hpp"

namespace reclaim::archive {
namespace {

using test::delivered;
using test::failed;
using test::failed_queue;
using test::Ids;
using test::kAnswers;
using test::kHangs;
using test::kRefuses;
using test::Process;
using test::to_report;

constexpr SegmentId kMixed{90, 1};
constexpr SegmentId kTold{90, 2};
constexpr SegmentId kElsewhere{90, 3};
constexpr int kPasses = 3;

struct Outcomes : test::Reporting {
  Outcomes() {
    options.tries_max = 2;
    put(kMixed, to_report("V1"), {delivered(1, kAnswers), failed(2, kAnswers), delivered(3, ""), failed(4, ""), delivered(5, kRefuses)});
    put(kTold, to_report("V1"), {failed(1, kAnswers), delivered(2, kAnswers)});
    put(kElsewhere, to_report("V2"), {failed(1, kHangs, "V2"), delivered(2, kAnswers, "V2")});
  }

  void expect_final(const std::string& where) {
    const std::map<RequestId, bool> told = ended();
    EXPECT_EQ(told, (std::map<RequestId, bool>{{{kMixed, 1}, true},
                                               {{kMixed, 2}, true},
                                               {{kMixed, 3}, false},
                                               {{kTold, 1}, true},
                                               {{kTold, 2}, true},
                                               {{kElsewhere, 2}, true}}))
        << where;
    EXPECT_EQ(count_ended(context()).value().done, 6) << where;
    EXPECT_EQ(contents(),
              (std::map<QueueId, Ids>{{failed_queue("V1"), {{kMixed, 4}, {kMixed, 5}}}, {failed_queue("V2"), {{kElsewhere, 1}}}}))
        << where;
    expect_ledger(told, where);
    expect_clean(*this, where);
  }

  // At least once, and no more often than what one crash explains.
  void expect_ledger(const std::map<RequestId, bool>& told, const std::string& where) {
    const std::map<std::string, int> answered = arrivals(kAnswers);
    for (const auto& [id, is_reported] : told) {
      EXPECT_EQ(answered.contains(text_of(id) + "/1"), is_reported) << where << ": " << text_of(id);
    }
    for (const auto& [key, times] : answered) EXPECT_LE(times, 2) << where << ": " << key;
    for (const char* url : {kRefuses, kHangs}) {
      ASSERT_EQ(arrivals(url).size(), 1U) << where;
      EXPECT_GE(arrivals(url).begin()->second, 2 - 1) << where;
      EXPECT_LE(arrivals(url).begin()->second, 2 + 1) << where;
    }
  }
};

// One that lives through its fault goes on.
void run_first(Outcomes& world, ports::Database& database, ports::ObjectStore& store, ports::ReportSink& sink) {
  try {
    const auto agent = agents::Agent::register_as(store, "first", "maintenance");
    if (!agent.ok()) return;
    Hand hand(store, *agent.value());
    ArchiveEstate estate(hand, [&]() -> Context { return {database, world.wall, "pass:reports"}; });
    for (int pass = 0; pass < kPasses; ++pass) {
      (void)world.report_through(database, hand, estate, sink);
      world.wait(Millis{3'600'000});
    }
  } catch (const sim::Crash&) {
  }
}

bool crash_at(int at, sim::Outcome outcome, const std::string& where) {
  Outcomes world;
  sim::Fault fault{at, outcome};
  sim::FaultyStore store(world.store, fault, static_cast<std::uint64_t>(at));
  sim::FaultyDatabase database(*world.database, fault);
  sim::FaultySink sink(world.sink, fault, static_cast<std::uint64_t>(at));
  run_first(world, database, store, sink);
  Process second(*world.database, world.store, "second");
  (void)second.run_all();
  for (int pass = 0; pass < kPasses; ++pass) {
    EXPECT_TRUE(world.report_once(second).ok()) << where;
    world.wait(Millis{3'600'000});
  }
  (void)second.run_all();
  world.expect_final(where);
  return fault.happened;
}

TEST(ReporterUnderCrashes, TellsEveryoneOrKeepsTheRequestForTheOperator) {
  int runs = 0;
  for (const sim::Outcome outcome : sim::kOutcomes) {
    bool is_reached = true;
    for (int at = 0; is_reached && !HasFailure(); ++at, ++runs) {
      is_reached = crash_at(at, outcome, "call " + std::to_string(at) + ", outcome " + std::to_string(static_cast<int>(outcome)));
    }
  }
  std::printf("crash points: reporter: %d\n", runs);
  EXPECT_GT(runs, 100);
}

// Another one reports everything in the midst of the first: what either has taken is not the other's.
TEST(TwoReporters, TellEveryoneOnce) {
  int pauses = 0;
  for (bool is_reached = true; is_reached && !HasFailure(); ++pauses) {
    Outcomes world;
    Process second(*world.database, world.store, "second");
    samples::Interrupted store(world.store, pauses, [&] { EXPECT_TRUE(world.report_once(second).ok()); });
    run_first(world, *world.database, store, world.sink);
    is_reached = store.has_happened();
    const std::string where = "pause at " + std::to_string(pauses);
    for (const auto& [key, times] : world.arrivals(kAnswers)) EXPECT_EQ(times, 1) << where << ": " << key;
    (void)second.run_all();
    for (int pass = 0; pass < kPasses; ++pass) EXPECT_TRUE(world.report_once(second).ok()) << where;
    (void)second.run_all();
    world.expect_final(where);
  }
  std::printf("crash points: two reporters: %d\n", pauses);
}

// A reporter is paused, collected, and what it had in hand is reported by another; then it wakes.
TEST(PausedReporters, WakeAfterTheirCollectionAndChangeNothing) {
  int pauses = 0;
  for (bool is_reached = true; is_reached && !HasFailure(); ++pauses) {
    Outcomes world;
    std::unique_ptr<Process> second;
    const std::string where = "pause at " + std::to_string(pauses);
    samples::Interrupted store(world.store, pauses, [&] {
      second = std::make_unique<Process>(*world.database, world.store, "second");
      (void)second->run_all();
      for (int pass = 0; pass < kPasses; ++pass) {
        EXPECT_TRUE(world.report_once(*second).ok()) << where;
        world.wait(Millis{3'600'000});
      }
      world.expect_final("while it sleeps, " + where);
    });
    run_first(world, *world.database, store, world.sink);
    is_reached = store.has_happened();
    if (!second) second = std::make_unique<Process>(*world.database, world.store, "second");
    (void)second->run_all();
    world.expect_final("after it woke, " + where);
  }
  std::printf("crash points: pauses of a reporter: %d\n", pauses);
}

}  // namespace
}  // namespace reclaim::archive
