// What a sync costs in statements, parameters and bytes: nothing of it grows with the number of handles, except the bytes of what changed.
#include "contract/fleet/engines.hpp"
#include "sim/counting_database.hpp"
#include "support/reporter.hpp"

namespace reclaim::test {
namespace {

using namespace std::chrono_literals;
using sim::Cost;

// A worker with that many containers, all of them known and owned, that has synced until there was nothing new.
class Settled {
 public:
  Settled(FleetEngine engine, std::int64_t count) : store_(engine), database_(sim::must(store_.open())) {
    world.enroll("w1");
    world.own("build");
    if (count > 0) store_.fill({.count = count, .owner = "build"});
    reporter.tell(reporter.full(Reporter::handles(count)));
    reporter.tell(reporter.full(Reporter::handles(count)));
    counting.take();
  }

  struct Exchange {
    Cost cost;
    std::size_t bytes_in;
    std::size_t bytes_out;
  };
  Exchange exchange(const wire::SyncRequest& request) {
    counting.take();
    const wire::SyncAnswer answer = reporter.tell(request);
    return {counting.take(), to_json(request).size(), to_json(answer).size()};
  }

 private:
  FleetStore store_;
  std::unique_ptr<ports::Database> database_;

 public:
  sim::CountingDatabase counting{*database_};
  sim::FleetWorld world{counting};
  Reporter reporter{world, "w1"};
};

class Statements : public testing::TestWithParam<FleetEngine> {};

TEST_P(Statements, ASyncWithNothingNewIsOneStatementWhateverTheNumberOfHandles) {
  Settled small(GetParam(), 100);
  Settled large(GetParam(), 100'000);
  for (Settled* settled : {&small, &large}) {
    for (int i = 0; i < 3; ++i) {
      const Cost delta = settled->exchange(settled->reporter.delta()).cost;
      EXPECT_EQ(delta.statements, 1);
      EXPECT_EQ(delta.begins, 0);
      const Cost same = settled->exchange(settled->reporter.same()).cost;
      EXPECT_EQ(same.statements, 1);
      EXPECT_EQ(same.begins, 0);
    }
  }
}

// A count of handles is written in as many digits as it has; with that taken out, the bytes are the same.
TEST_P(Statements, ASyncWithNothingNewHasTheSameBytesWhateverTheNumberOfHandles) {
  Settled small(GetParam(), 100);
  Settled large(GetParam(), 100'000);
  ASSERT_EQ(small.reporter.high_water(), large.reporter.high_water());
  const auto few = small.exchange(small.reporter.delta());
  const auto many = large.exchange(large.reporter.delta());
  EXPECT_EQ(few.bytes_in + std::string("100000").size() - std::string("100").size(), many.bytes_in);
  EXPECT_EQ(few.bytes_out, many.bytes_out);
  const auto few_same = small.exchange(small.reporter.same());
  const auto many_same = large.exchange(large.reporter.same());
  EXPECT_EQ(few_same.bytes_in, many_same.bytes_in);
  EXPECT_EQ(few_same.bytes_out, many_same.bytes_out);
}

// The cost of a full inventory of `count` known containers by a worker that never synced.
Cost cost_of_full(FleetEngine engine, std::int64_t count) {
  FleetStore store(engine);
  const std::unique_ptr<ports::Database> database = sim::must(store.open());
  sim::CountingDatabase counting(*database);
  sim::FleetWorld world(counting);
  world.enroll("w1");
  world.own("build");
  store.fill({.count = count, .owner = "build"});
  Reporter reporter(world, "w1");
  counting.take();
  reporter.tell(reporter.full(Reporter::handles(count)));
  Cost cost = counting.take();
  EXPECT_EQ(store.execute("SELECT COUNT(*) FROM resources WHERE present = 1 AND state = 'created'"), std::to_string(count));
  EXPECT_EQ(store.execute("SELECT COUNT(*) FROM unknowns"), "0");
  return cost;
}

TEST_P(Statements, AFullSyncOfManyHandlesTakesAsManyStatementsAsOneOfFew) {
  const Cost few = cost_of_full(GetParam(), 1'000);
  const Cost many = cost_of_full(GetParam(), 100'000);
  EXPECT_EQ(few.statements, many.statements);
  EXPECT_EQ(few.begins, many.begins);
  EXPECT_EQ(few.parameters_max, many.parameters_max);
}

// The same of `count` containers that nobody registered, up to their marks and their orders.
Cost cost_of_strangers(FleetEngine engine, std::int64_t count) {
  FleetStore store(engine);
  const std::unique_ptr<ports::Database> database = sim::must(store.open());
  sim::CountingDatabase counting(*database);
  sim::FleetWorld world(counting);
  world.policy().brake_min = count;
  world.enroll("w1");
  Reporter reporter(world, "w1");
  reporter.tell(reporter.full({}));
  counting.take();
  reporter.tell(reporter.full(Reporter::handles(count)));
  Cost cost = counting.take();
  EXPECT_EQ(store.execute("SELECT COUNT(*) FROM unknowns WHERE held = 0"), std::to_string(count));
  world.advance(world.policy().unknown_grace);
  reporter.tell(reporter.delta());
  world.advance(1s);
  EXPECT_EQ(world.run("unknown").changed, count);
  EXPECT_EQ(reporter.tell(reporter.delta()).destroy.containers.size(), 1000U);
  EXPECT_EQ(world.unaccounted(), 0);
  cost.parameters_max = std::max(cost.parameters_max, counting.cost().parameters_max);
  return cost;
}

TEST_P(Statements, ASyncOfManyUnknownHandlesTakesAsManyStatementsAsOneOfFew) {
  const Cost few = cost_of_strangers(GetParam(), 1'000);
  const Cost many = cost_of_strangers(GetParam(), 70'000);
  EXPECT_EQ(few.statements, many.statements);
  EXPECT_EQ(few.begins, many.begins);
  EXPECT_EQ(few.parameters_max, many.parameters_max);
}

TEST_P(Statements, ADeltaTakesAsManyStatementsWhateverTheSetItChanges) {
  Settled small(GetParam(), 100);
  Settled large(GetParam(), 100'000);
  const Cost few = small.exchange(small.reporter.delta({"x"}, {"c1"})).cost;
  const Cost many = large.exchange(large.reporter.delta({"x"}, {"c1"})).cost;
  EXPECT_EQ(few.statements, many.statements);
  EXPECT_EQ(small.world.containers().substr(0, 18), "c1:created,missing");
}

// PostgreSQL keeps a statement's plan after a few runs. One that was made for a table of a few rows must suit one of 100,000.
TEST_P(Statements, WhatWasPlannedForSmallTablesSuitsLargeOnes) {
  FleetStore store(GetParam());
  const std::unique_ptr<ports::Database> database = sim::must(store.open());
  sim::FleetWorld world(*database);
  world.own("build");
  const auto sync_twice = [&](const std::string& worker, std::int64_t count) {
    world.enroll(worker);
    store.fill({.count = count, .worker = worker, .owner = "build"});
    Reporter reporter(world, worker);
    reporter.tell(reporter.full(Reporter::handles(count)));
    reporter.tell(reporter.delta({}, {"c1"}));
  };
  for (int i = 1; i <= 12; ++i) sync_twice("small-" + std::to_string(i), 3);
  sync_twice("large", 100'000);
  EXPECT_EQ(store.execute("SELECT COUNT(*) FROM resources WHERE present = 0 AND missing_since IS NOT NULL"), "13");
}

ON_BOTH_ENGINES(Statements);

}  // namespace
}  // namespace reclaim::test
