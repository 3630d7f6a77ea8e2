#include "server/control_plane.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>

#include "adapters/database_sqlite/sqlite.hpp"
#include "fleet/events.hpp"
#include "fleet/owners.hpp"
#include "fleet/resources.hpp"
#include "sim/fleet_world.hpp"
#include "sim/teller.hpp"
#include "support/manual_clock.hpp"

namespace reclaim::test {
namespace {

using sim::joined;
using sim::must;
using namespace std::chrono_literals;

class ControlPlanes : public testing::Test {
 protected:
  ControlPlanes() {
    plane_.set_wake([this](std::string_view pass) { woken_.emplace(pass); });
    must(plane_.open(random_));
    must(fleet::put_worker(context(), {.name = WorkerName("w1"), .existing = fleet::Existing::kDestroy}));
    tell(0);
    tell(0);
  }

  fleet::Context context() const { return plane_.context("test"); }

  // One more sync of the worker, with nothing new, that may be held for `wait_ms`. Its answer, once there is one.
  using Answer = std::optional<Result<wire::SyncAnswer>>;
  std::shared_ptr<Answer> tell(std::int64_t wait_ms) {
    auto answer = std::make_shared<Answer>();
    wire::SyncRequest request{
        .session = "s", .incarnation = "i", .started = 1, .sequence = ++sequence_, .as_of = high_water_, .wait_ms = wait_ms};
    request.inventories.containers = wire::Inventory{};
    request.inventories.volumes = wire::Inventory{};
    plane_.sync("worker:w1", {.key = "", .worker = "w1"}, request, [this, answer](Result<wire::SyncAnswer> told) {
      if (told.ok()) high_water_ = told.value().high_water;
      *answer = std::move(told);
    });
    return answer;
  }

  void make_orphan() {
    const fleet::ResourceName name{WorkerName("w1"), ResourceKind::kContainer, Handle("c")};
    must(fleet::register_resource(context(), {.name = name}));
    must(fleet::resource_created(context(), name));
    must(plane_.run_pass("mark-orphans"));
  }

  std::unique_ptr<ports::Database> database_ = must(database_sqlite::open_sqlite({}));
  ManualClock clock_;
  CountingRandom random_;
  server::ControlPlane plane_{*database_, clock_, {.holder = "test", .claim_timeout = 0ms}};
  std::set<std::string> woken_;
  std::int64_t sequence_ = 0;
  std::int64_t high_water_ = 0;
};

TEST_F(ControlPlanes, TheAuditTrailIsTrimmedAtOnceForAsLongAsThereIsTooMuchOfIt) {
  std::vector<fleet::Event> many(6'000, {.action = "tested"});
  for (int i = 0; i < 2; ++i) {
    must(ports::transact(*database_, ports::Access::kWrite,
                         [&](ports::Transaction& transaction) { return fleet::append_events(transaction, context(), many); }));
  }
  server::ControlPlane plane{*database_, clock_, {.holder = "test", .claim_timeout = 0ms, .event_max = 100}};
  must(plane.open(random_));
  std::set<std::string> woken;
  plane.set_wake([&](std::string_view pass) { woken.emplace(pass); });
  EXPECT_EQ(must(plane.run_pass(server::kTrimEvents)).changed, 10'000);
  EXPECT_EQ(woken, std::set<std::string>{"trim-events"});
  woken.clear();
  EXPECT_GT(must(plane.run_pass(server::kTrimEvents)).changed, 1'000);
  EXPECT_TRUE(woken.empty());
  EXPECT_EQ(must(fleet::read_events(*database_, 0, 1'000)).size(), 100U);
}

class HeldSyncs : public ControlPlanes {};

TEST_F(HeldSyncs, AreAnsweredAsSoonAsThereIsWork) {
  const auto answer = tell(30'000);
  plane_.serve_held();
  EXPECT_FALSE(answer->has_value());
  woken_.clear();
  make_orphan();
  EXPECT_TRUE(woken_.contains("held-syncs"));
  plane_.serve_held();
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ(joined(answer->value().value().destroy.containers), "c");
}

TEST_F(HeldSyncs, AreAnsweredWithoutOrdersWhenTheirTimeIsOver) {
  const auto answer = tell(30'000);
  plane_.serve_held();
  clock_.advance(30s);
  plane_.serve_held();
  ASSERT_TRUE(answer->has_value());
  EXPECT_TRUE(answer->value().value().destroy.containers.empty());
}

TEST_F(HeldSyncs, NeverWaitLikeSilence) {
  const auto answer = tell(60'000);
  clock_.advance(plane_.policy().worker_expiry / 3);
  plane_.serve_held();
  EXPECT_TRUE(answer->has_value());
}

TEST_F(HeldSyncs, EndAtOnceAndWithoutOrdersWhenALaterSyncComes) {
  const auto earlier = tell(30'000);
  make_orphan();
  const auto later = tell(0);
  ASSERT_TRUE(earlier->has_value());
  EXPECT_TRUE(earlier->value().value().destroy.containers.empty()) << "orders are taken from the latest answer only";
  EXPECT_EQ(joined(later->value().value().destroy.containers), "c");
}

TEST_F(HeldSyncs, SeeWhatAnotherServerMarked) {
  const auto answer = tell(30'000);
  plane_.serve_held();
  server::ControlPlane other(*database_, clock_, {.holder = "other", .claim_timeout = 0ms});
  must(other.open(random_));
  const fleet::ResourceName name{WorkerName("w1"), ResourceKind::kContainer, Handle("c")};
  must(fleet::register_resource(context(), {.name = name}));
  must(fleet::resource_created(context(), name));
  must(other.run_pass("mark-orphans"));
  EXPECT_FALSE(answer->has_value());
  plane_.serve_held();
  EXPECT_TRUE(answer->has_value());
}

TEST_F(HeldSyncs, AreLetGoWhenTheServerStops) {
  const auto answer = tell(30'000);
  EXPECT_EQ(plane_.held(), 1U);
  plane_.release_held();
  EXPECT_TRUE(answer->has_value());
  EXPECT_EQ(plane_.held(), 0U);
}

class Passes : public ControlPlanes {};

TEST_F(Passes, GcRunRunsEveryCollectorHereAndNow) {
  server::ControlPlane other(*database_, clock_, {.holder = "other", .claim_timeout = 0ms});
  must(other.open(random_));
  const std::vector<server::PassOutcome> outcomes = must(plane_.run_now({}));
  ASSERT_EQ(outcomes.size(), fleet::collectors().size());
  for (const server::PassOutcome& outcome : outcomes) EXPECT_EQ(outcome.error, "") << outcome.pass;
  EXPECT_EQ(plane_.run_now({"mark-everything"}).error().kind, Error::Kind::kInvalid);
}

TEST_F(Passes, EveryCollectorIsAmongThePassesToSchedule) {
  const std::vector<std::string> names = server::ControlPlane::pass_names();
  for (const fleet::Collector& collector : fleet::collectors()) {
    EXPECT_NE(std::ranges::find(names, collector.name), names.end()) << collector.name;
  }
}

}  // namespace
}  // namespace reclaim::test
