// A server's life on a database, stopped at every call: it begins, serves a while, is asked by an operator, comes back after a gap. The
// next one serves under the same lineage, its time has not gone back, and nothing is unaccounted for (C1).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "crash/pairs.hpp"
#include "server/control_plane.hpp"
#include "sim/memory_database.hpp"
#include "sim/teller.hpp"
#include "support/manual_clock.hpp"

namespace reclaim::test {
namespace {

using server::ControlPlane;
using namespace std::chrono_literals;

const std::string kKey = "ssh-ed25519 " + std::string(68, 'A');
const WorkerName kWorker("w1");

// A worker with a container of a live owner, and nothing new to say.
struct Fleet {
  Fleet() {
    world.enroll(kWorker.str());
    sim::must(fleet::put_worker(world.context(), {.name = kWorker, .keys = std::vector<std::string>{kKey}}));
    world.own("build");
    world.add_container("c", "build");
    teller.tell("c");
    teller.tell("c");
  }

  std::unique_ptr<ports::Database> database = sim::memory_database();
  sim::FleetWorld world{*database};
  sim::Teller teller{world};
};

std::int64_t now_of(const ControlPlane& plane) { return plane.context("test").moment.now.ms; }

// Answers the latest service time that it has seen.
std::int64_t serve(Fleet& fleet, ports::Database& database, Millis claim_timeout) {
  ManualClock clock;
  CountingRandom random;
  ControlPlane plane(
      database, clock,
      {.policy = {}, .holder = "server-" + std::to_string(claim_timeout.count()), .claim_timeout = claim_timeout, .event_max = 3});
  (void)plane.open(random).ok();
  for (const Millis by : {Millis(1s), Millis(1s), Millis(10s), Millis(1s)}) {
    clock.advance(by);
    (void)plane.tick().ok();
  }
  (void)plane.run_pass(server::kTrimEvents).ok();
  (void)plane.run_now({}).ok();
  wire::SyncRequest request = fleet.teller.frame("c");
  request.wait_ms = 60'000;
  plane.sync("worker", {.key = kKey, .worker = ""}, request, [](const Result<wire::SyncAnswer>&) {});
  plane.serve_held();
  plane.release_held();
  return now_of(plane);
}

// The next, on whom nothing is inflicted.
void expect_served(Fleet& fleet, std::int64_t seen, const std::string& where) {
  ManualClock clock;
  CountingRandom random;
  ControlPlane plane(*fleet.database, clock, {.policy = {}, .holder = "next", .claim_timeout = 0s});
  EXPECT_TRUE(plane.open(random).ok()) << where;
  clock.advance(1s);
  EXPECT_TRUE(plane.tick().ok()) << where;
  EXPECT_TRUE(plane.readiness().ok()) << where;
  EXPECT_GE(now_of(plane) + agents::kServiceGap.count(), seen) << where;
  const auto outcomes = plane.run_now({});
  EXPECT_TRUE(outcomes.ok()) << where;
  for (const server::PassOutcome& outcome : outcomes.value()) EXPECT_EQ(outcome.error, "") << where;
  EXPECT_EQ(fleet.world.containers(), "c:created") << where;
  EXPECT_EQ(fleet.world.unaccounted(), 0) << where;
  EXPECT_EQ(fleet.teller.tell("c").lineage, sim::FleetWorld::kLineage) << where;
}

// Two servers, one after the other, each with its fault.
Met serve_twice(Millis claim_timeout, sim::Fault first, sim::Fault second) {
  Fleet fleet;
  std::int64_t seen = 0;
  for (sim::Fault* fault : {&first, &second}) {
    sim::FaultyDatabase database(*fleet.database, *fault);
    try {
      seen = std::max(seen, serve(fleet, database, claim_timeout));
    } catch (const sim::Crash&) {
    }
  }
  expect_served(fleet, seen, "a server is " + in_words(first) + "the next is " + in_words(second));
  return {first.happened, second.happened};
}

int crash_once(Millis claim_timeout) {
  int runs = 0;
  for (int at = 0;; at += stride_of(1)) {
    for (const sim::Outcome outcome : sim::kOutcomes) {
      if (!serve_twice(claim_timeout, {.at = at, .outcome = outcome}, {}).first || testing::Test::HasFailure()) return runs;
      ++runs;
    }
  }
}

TEST(CrashTwice, OfServersKeepsTheInvariants) {
  for (const Millis claim_timeout : {Millis(0s), Millis(5s)}) {
    const int stride = stride_of(10);
    const int once = crash_once(claim_timeout);
    const int pairs = crash_in_pairs(
        stride, [&](const sim::Fault& first, const sim::Fault& second) { return serve_twice(claim_timeout, first, second); });
    std::printf("crash points: %s: %d, pairs: %d, every %d of them, ends in turn\n",
                claim_timeout == 0s ? "the only server" : "one of several servers", once, pairs, stride);
  }
}

}  // namespace
}  // namespace reclaim::test
