// A reporter that is stopped at every call to the store, the database and its requesters, or hears no answer. Whoever comes next ends it:
// every request is told of, or kept for the operator, and found in one place (A1, A2); what is on record as told has a receipt.
#include "archive/reporter.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>

#include "crash/archive/outcomes.hpp"
#include "crash/hands/hands.hpp"
#include "sim/faulty_sink.hpp"
#include "sim/faulty_store.hpp"

namespace reclaim::archive {
namespace {

using test::Process;

bool crash_at(int at, sim::Outcome outcome) {
  Outcomes world;
  sim::Fault fault{at, outcome};
  sim::FaultyStore store(world.store, fault, static_cast<std::uint64_t>(at));
  sim::FaultyDatabase database(*world.database, fault);
  sim::FaultySink sink(world.sink, fault, static_cast<std::uint64_t>(at));
  run_first(world, database, store, sink);
  const std::string where = "the first reporter is " + in_words(fault);
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
      is_reached = crash_at(at, outcome);
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
