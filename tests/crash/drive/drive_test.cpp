// A drive that is stopped at every call to the store, the database and its disk buffer, or hears no answer. Its agent is collected, another
// drive goes on: every request that can be served is delivered, whole and once, every other one has failed, each is in one place (A1, A2),
// and nothing is left over: no mount, no file on its way.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "crash/drive/deliveries.hpp"
#include "sim/faulty_store.hpp"

namespace reclaim::test {
namespace {

constexpr int kMountsMax = 8;

bool crash_at(int at, sim::Outcome outcome) {
  Deliveries world;
  for (const char* name : {"D1", "D2"}) sim::must(register_drive(world.context(), DriveName(name)));
  sim::Fault fault{at, outcome};
  sim::FaultyStore store(world.store, fault, static_cast<std::uint64_t>(at));
  sim::FaultyDatabase database(*world.database, fault);
  FaultyBuffer buffer(world.buffer, fault);
  try {
    serve("D1", {database, store, world.library, buffer}, kMountsMax);
  } catch (const sim::Crash&) {
  }
  Process collector(*world.database, world.store, "collector");
  (void)collector.run_all();
  serve("D2", {*world.database, world.store, world.library, world.buffer}, kMountsMax);
  (void)collector.run_all();
  world.expect_final("D1 is " + in_words(fault));
  return fault.happened;
}

TEST(DriveUnderCrashes, DeliversEverythingOnceAndLosesNothing) {
  int runs = 0;
  for (const sim::Outcome outcome : sim::kOutcomes) {
    bool is_reached = true;
    for (int at = 0; is_reached && !HasFailure(); ++at, ++runs) {
      is_reached = crash_at(at, outcome);
    }
  }
  std::printf("crash points: drive: %d\n", runs);
  EXPECT_GT(runs, 100);
}

}  // namespace
}  // namespace reclaim::test
