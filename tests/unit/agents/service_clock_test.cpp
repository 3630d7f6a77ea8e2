#include "agents/service_clock.hpp"

#include <gtest/gtest.h>

#include "adapters/database_sqlite/sqlite.hpp"
#include "agents/claims.hpp"
#include "sim/crash.hpp"
#include "sim/fleet_world.hpp"
#include "sim/memory_database.hpp"
#include "support/manual_clock.hpp"

namespace reclaim::test {
namespace {

using agents::Claimant;
using agents::ServiceClock;
using sim::must;
using namespace std::chrono_literals;

class ServiceTimes : public testing::Test {
 protected:
  // A server process: its claimant and its view of service time.
  struct Process {
    Process(ports::Database& database, const std::string& holder, Millis timeout)
        : claimant(database, "fleet", holder, timeout), clock(database, claimant) {}
    Claimant claimant;
    ServiceClock clock;
  };

  void serve(Process& process, Millis length) {
    for (Millis passed{0}; passed < length; passed += 1s) {
      clock_.advance(1s);
      must(process.clock.tick(clock_.now()));
    }
  }
  ServiceTime now(const Process& process) const { return process.clock.read(clock_.now()).now; }

  std::unique_ptr<ports::Database> database_ = must(database_sqlite::open_sqlite({}));
  ManualClock clock_;
};

TEST_F(ServiceTimes, PassesWhileAServerServes) {
  Process server(*database_, "a", 5s);
  must(server.clock.tick(clock_.now()));
  const ServiceTime began = now(server);
  serve(server, 60s);
  EXPECT_EQ(now(server) - began, 60s);
  clock_.advance(400ms);
  EXPECT_EQ(now(server) - began, 60s + 400ms) << "between two ticks it goes on by the process's own clock";
}

TEST_F(ServiceTimes, StandsStillWhileNobodyServes) {
  Process server(*database_, "a", 0s);
  must(server.clock.tick(clock_.now()));
  serve(server, 60s);
  const ServiceTime stopped = now(server);
  clock_.advance(10h);
  Process next(*database_, "b", 0s);
  must(next.clock.tick(clock_.now()));
  EXPECT_EQ(now(next), stopped);
  EXPECT_EQ(next.clock.read(clock_.now()).served_since, stopped) << "a new server cannot know how long nobody served";
}

TEST_F(ServiceTimes, ASuspendedServerLosesNoMoreThanOneGap) {
  Process server(*database_, "a", 5s);
  must(server.clock.tick(clock_.now()));
  serve(server, 10s);
  const ServiceTime before = now(server);
  clock_.advance(3h);
  EXPECT_EQ(now(server) - before, agents::kServiceGap);
  must(server.clock.tick(clock_.now()));
  EXPECT_EQ(now(server) - before, agents::kServiceGap);
  EXPECT_EQ(server.clock.read(clock_.now()).served_since, now(server)) << "that was a gap in serving";
}

// Each step used to be added to what the row held, and marking a gap was a second call: whenever either was not heard of, the next tick
// added the same step again, and leases ended early.
TEST_F(ServiceTimes, AnAnswerThatIsLostMovesItOnceAndMarksItsGap) {
  for (const Millis step : {Millis(1s), Millis(60s)}) {
    for (int call = 0;; ++call) {
      sim::Fault fault;
      sim::FaultyDatabase line(*database_, fault);
      Process server(line, "a", 0s);
      must(server.clock.tick(clock_.now()));
      const ServiceTime before = now(server);
      clock_.advance(step);
      fault = {.at = call, .outcome = sim::Outcome::kAnswerLost};
      const bool was_heard = server.clock.tick(clock_.now()).ok();
      if (!fault.happened) break;
      EXPECT_FALSE(was_heard);
      must(server.clock.tick(clock_.now()));
      EXPECT_EQ(now(server) - before, std::min(step, agents::kServiceGap)) << sim::in_words(fault);
      EXPECT_EQ(server.clock.read(clock_.now()).served_since == now(server), step > agents::kServiceGap) << sim::in_words(fault);
    }
  }
}

TEST_F(ServiceTimes, ADatabaseThatWasPutBackUnderItGoesOnFromItsOwnTime) {
  sim::MemoryDatabase database;
  Process server(database, "a", 5s);
  must(server.clock.tick(clock_.now()));
  serve(server, 60s);
  database.take_copy();
  const ServiceTime copied = now(server);
  serve(server, 30s);
  database.put_copy_back();
  serve(server, 2s);
  EXPECT_EQ(now(server), copied);
  EXPECT_EQ(server.clock.read(clock_.now()).served_since, copied) << "how long nobody served it is not known";
  serve(server, 5s);
  EXPECT_EQ(now(server) - copied, 5s);
}

TEST_F(ServiceTimes, AWallClockSetByHandChangesNothing) {
  Process server(*database_, "a", 5s);
  must(server.clock.tick(clock_.now()));
  const ServiceTime before = now(server);
  clock_.set_wall({0});
  serve(server, 5s);
  EXPECT_EQ(now(server) - before, 5s);
}

TEST_F(ServiceTimes, OneOfManyServersMovesIt) {
  Process first(*database_, "a", 5s);
  Process second(*database_, "b", 5s);
  must(first.clock.tick(clock_.now()));
  must(second.clock.tick(clock_.now()));
  EXPECT_TRUE(first.clock.epoch().has_value());
  EXPECT_FALSE(second.clock.epoch().has_value());
  for (int i = 0; i < 20; ++i) {
    clock_.advance(1s);
    must(first.clock.tick(clock_.now()));
    must(second.clock.tick(clock_.now()));
    EXPECT_EQ(now(first), now(second));
  }
  EXPECT_FALSE(second.clock.epoch().has_value()) << "a holder that beats keeps its claim";
}

TEST_F(ServiceTimes, AClaimWhoseBeatStandsStillIsTakenWithTheNextEpoch) {
  Process dead(*database_, "a", 5s);
  Process next(*database_, "b", 5s);
  must(dead.clock.tick(clock_.now()));
  const std::int64_t epoch = dead.clock.epoch().value();
  serve(next, 5s);
  EXPECT_FALSE(next.clock.epoch().has_value()) << "seen for the first time only after one second";
  serve(next, 1s);
  EXPECT_EQ(next.clock.epoch(), epoch + 1);
  must(dead.clock.tick(clock_.now()));
  EXPECT_FALSE(dead.clock.epoch().has_value()) << "back from the dead: it acts no more";
}

TEST_F(ServiceTimes, AnOperatorsWishSeizesTheClaim) {
  Process first(*database_, "a", 5s);
  Process second(*database_, "b", 5s);
  must(first.clock.tick(clock_.now()));
  must(second.clock.seize(clock_.now()));
  EXPECT_TRUE(second.clock.epoch().has_value());
  must(first.clock.tick(clock_.now()));
  EXPECT_FALSE(first.clock.epoch().has_value());
}

}  // namespace
}  // namespace reclaim::test
