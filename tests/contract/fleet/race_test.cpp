// Two servers over one PostgreSQL, statement against statement: one stops just before a statement, the other acts or is seen waiting
// for a lock, the first goes on.
#include <future>
#include <thread>

#include "contract/fleet/engines.hpp"
#include "fleet/events.hpp"
#include "ports/statements.hpp"
#include "support/pausing_database.hpp"

namespace reclaim::test {
namespace {

using namespace std::chrono_literals;
using sim::FleetWorld;
using sim::joined;
using sim::must;

const std::string kKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKeyKeyKeyKeyKeyKeyKeyKeyKeyKey";

class Race : public testing::Test {
 protected:
  void SetUp() override {
    world.enroll("w1");
    world.own("build");
  }

  fleet::Context through(ports::Database& database, const std::string& actor = "test", Millis later = Millis(0)) {
    fleet::Context context = world.context(actor);
    context.moment.now = context.moment.now + later;
    return {database, context.policy, context.moment, context.actor};
  }
  // mark-orphans by the other server, until it has reached `pausing`'s statement.
  std::future<Result<fleet::PassReport>> start_marking(PausingDatabase& pausing, Millis later = Millis(0)) {
    auto marking = std::async(std::launch::async, [this, &pausing, later] {
      return fleet::mark_orphans(through(pausing, "pass:mark-orphans", later), world.claim());
    });
    pausing.wait_until_reached();
    return marking;
  }
  template <class Work>
  auto start(PausingDatabase& pausing, Work work) {
    auto working = std::async(std::launch::async, [this, &pausing, work] { return work(through(pausing)); });
    pausing.wait_until_reached();
    return working;
  }
  // What `work` answers once it is through; returns when it waits for a lock that another transaction holds.
  template <class Work>
  auto start_and_see_it_wait(Work work) {
    auto working = std::async(std::launch::async, [this, work] { return work(through(*first_)); });
    const auto give_up = std::chrono::steady_clock::now() + 30s;
    while (store_.execute("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == "0") {
      check(std::chrono::steady_clock::now() < give_up, "it waits for a lock");
      std::this_thread::yield();
    }
    return working;
  }

  FleetStore store_{FleetEngine::kPostgres};
  std::unique_ptr<ports::Database> first_ = must(store_.open());
  std::unique_ptr<ports::Database> second_ = must(store_.open());
  FleetWorld world{*first_};
};

struct Rescue {
  const char* name;
  Status (*run)(const fleet::Context& context);
};

template <class T>
Status status_of(const Result<T>& result) {
  return result.ok() ? done() : Status(result.error());
}

const Rescue kRescues[] = {
    {"Touched", [](const fleet::Context& context) { return status_of(fleet::touch_resource(context, FleetWorld::volume("v"))); }},
    {"Pinned",
     [](const fleet::Context& context) { return status_of(fleet::pin_resource(context, FleetWorld::volume("v"), "debugging", {})); }},
    {"Reowned",
     [](const fleet::Context& context) { return status_of(fleet::own_resource(context, FleetWorld::volume("v"), OwnerId("heir"))); }},
    {"GivenAChild",
     [](const fleet::Context& context) {
       return status_of(
           fleet::register_resource(context, {.name = FleetWorld::volume("child"), .owner = OwnerId("heir"), .parent = Handle("v")}));
     }},
};

class Rescued : public Race, public testing::WithParamInterface<Rescue> {};

TEST_P(Rescued, BetweenTheCandidatesAndTheLockIsNotMarked) {
  world.own("heir");
  world.add_volume("v", {.owner = "build"});
  world.release("build");
  PausingDatabase pausing(*second_, sql::worker_lock_by_id);
  auto marking = start_marking(pausing);
  must(GetParam().run(world.context()));
  pausing.go_on();
  EXPECT_EQ(must(marking.get()).changed, 0);
  EXPECT_EQ(must(fleet::find_resource(world.context(), FleetWorld::volume("v"))).state, fleet::ResourceState::kCreated);
}

TEST_P(Rescued, AfterTheLockWaitsAndIsToldThatItIsTooLate) {
  world.own("heir");
  world.add_volume("v", {.owner = "build"});
  world.release("build");
  PausingDatabase pausing(*second_, sql::orphan_mark);
  auto marking = start_marking(pausing);
  auto rescuing = start_and_see_it_wait(GetParam().run);
  pausing.go_on();
  EXPECT_EQ(must(marking.get()).changed, 1);
  const Status rescued = rescuing.get();
  ASSERT_FALSE(rescued.ok());
  EXPECT_EQ(rescued.error().kind, Error::Kind::kConflict);
}

INSTANTIATE_TEST_SUITE_P(Race, Rescued, testing::ValuesIn(kRescues), [](const auto& each) { return each.param.name; });

// The marking server's clock is ahead by a second: for it the lease has run out, for the renewing one it has not.
TEST_F(Race, ALeaseRenewedBeforeItsOwnerIsHeldKeepsTheResources) {
  for (const ports::Statement statement : {sql::worker_lock_by_id, sql::orphan_hold_owners}) {
    const std::string owner = statement.name;
    world.own(owner, 60s);
    world.add_container(owner, owner);
    PausingDatabase pausing(*second_, statement);
    auto marking = start_marking(pausing, 60s);
    must(fleet::put_owner(through(*first_, "test", 59s), {.id = OwnerId(owner), .kind = "build", .ttl = 60s}));
    pausing.go_on();
    EXPECT_EQ(must(marking.get()).changed, 0) << statement.name;
  }
}

TEST_F(Race, ARenewalWaitsForTheMarkThatHoldsItsOwner) {
  world.own("lease", 60s);
  world.add_container("c", "lease");
  PausingDatabase pausing(*second_, sql::orphan_mark);
  auto marking = start_marking(pausing, 60s);
  auto renewing = start_and_see_it_wait(
      [](const fleet::Context& context) { return fleet::put_owner(context, {.id = OwnerId("lease"), .kind = "build", .ttl = 60s}); });
  pausing.go_on();
  EXPECT_EQ(must(marking.get()).changed, 1);
  (void)renewing.get().ok();
}

TEST_F(Race, WhatJoinsAnOwnerThatIsReleasedMeanwhileIsRefused) {
  PausingDatabase pausing(*second_, sql::owner_release);
  auto releasing = start(pausing, [](const fleet::Context& context) { return fleet::release_owner(context, OwnerId("build"), 0ms); });
  auto joining = start_and_see_it_wait([](const fleet::Context& context) {
    return fleet::register_resource(context, {.name = FleetWorld::container("c"), .owner = OwnerId("build")});
  });
  pausing.go_on();
  must(releasing.get());
  const auto joined_late = joining.get();
  ASSERT_FALSE(joined_late.ok());
  EXPECT_EQ(joined_late.error().kind, Error::Kind::kConflict);
  EXPECT_EQ(world.containers(), "");
}

TEST_F(Race, WhatJoinedAnOwnerJustBeforeItsReleaseIsSeenByTheNextMark) {
  PausingDatabase pausing(*second_, sql::resource_insert);
  auto joining = start(pausing, [](const fleet::Context& context) {
    return fleet::register_resource(context, {.name = FleetWorld::container("c"), .owner = OwnerId("build")});
  });
  auto releasing =
      start_and_see_it_wait([](const fleet::Context& context) { return fleet::release_owner(context, OwnerId("build"), 0ms); });
  pausing.go_on();
  must(joining.get());
  must(releasing.get());
  world.collect();
  EXPECT_EQ(world.containers(), "c:creating") << "settling does not forget an owner with something in creation";
  must(fleet::resource_created(world.context(), FleetWorld::container("c")));
  world.collect();
  EXPECT_EQ(world.containers(), "c:destroying");
}

TEST_F(Race, TwoServersMarkEachRowOnce) {
  store_.fill({.count = 3500, .owner = "build"});
  world.release("build");
  auto other = std::async(std::launch::async, [this] { return fleet::mark_orphans(through(*second_), world.claim()); });
  const fleet::PassReport mine = must(fleet::mark_orphans(through(*first_), world.claim()));
  EXPECT_EQ(mine.changed + must(other.get()).changed, 3500);
  EXPECT_EQ(store_.execute("SELECT COUNT(*) || ' ' || COUNT(DISTINCT handle) FROM events WHERE action = 'marked'"), "3500 3500");
  EXPECT_EQ(store_.execute("SELECT COUNT(*) FROM resources WHERE state = 'destroying'"), "3500");
}

TEST_F(Race, AQuietSyncBesideAMarkDoesNotLoseTheOrder) {
  sim::Teller teller(world);
  world.add_container("c", "build");
  teller.tell("c");
  teller.tell("c");
  world.release("build");
  PausingDatabase pausing(*second_, sql::events_append);
  auto marking = start_marking(pausing);
  wire::SyncRequest same = teller.frame("");
  same.inventories = {};
  same.same = true;
  auto syncing =
      start_and_see_it_wait([same](const fleet::Context& context) { return fleet::sync(context, {.key = "", .worker = "w1"}, same); });
  pausing.go_on();
  must(marking.get());
  EXPECT_EQ(joined(must(syncing.get()).answer.destroy.containers), "c");
}

TEST_F(Race, AHandleIsRegisteredOnce) {
  PausingDatabase pausing(*second_, sql::resource_insert);
  world.own("other");
  auto one = start(pausing, [](const fleet::Context& context) {
    return fleet::register_resource(context, {.name = FleetWorld::container("c"), .owner = OwnerId("build")});
  });
  auto two = start_and_see_it_wait([](const fleet::Context& context) {
    return fleet::register_resource(context, {.name = FleetWorld::container("c"), .owner = OwnerId("other")});
  });
  pausing.go_on();
  EXPECT_TRUE(must(one.get()).created);
  const auto second = two.get();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, Error::Kind::kConflict);
}

TEST_F(Race, AHandleIsFreeOnlyWhenItsRowIsGone) {
  sim::Teller teller(world);
  world.add_container("c", "");
  world.collect();
  teller.tell("c");
  const auto early = fleet::register_resource(world.context(), {.name = FleetWorld::container("c"), .owner = OwnerId("build")});
  ASSERT_FALSE(early.ok());
  EXPECT_EQ(early.error().kind, Error::Kind::kConflict);

  wire::SyncRequest acknowledging = teller.frame("");
  acknowledging.results = {sim::destroyed(ResourceKind::kContainer, "c")};
  PausingDatabase pausing(*second_, sql::sync_store);
  auto syncing = start(
      pausing, [acknowledging](const fleet::Context& context) { return fleet::sync(context, {.key = "", .worker = "w1"}, acknowledging); });
  auto registering = start_and_see_it_wait([](const fleet::Context& context) {
    return fleet::register_resource(context, {.name = FleetWorld::container("c"), .owner = OwnerId("build")});
  });
  pausing.go_on();
  must(syncing.get());
  EXPECT_TRUE(must(registering.get()).created);
  EXPECT_EQ(world.containers(), "c:creating");
  EXPECT_EQ(world.unaccounted(), 0);
}

TEST_F(Race, AnInventoryThatWaitedForAChangeDoesNotJudgeIt) {
  sim::Teller teller(world);
  teller.tell("");
  must(fleet::register_resource(world.context(), {.name = FleetWorld::container("c"), .owner = OwnerId("build")}));
  const wire::SyncRequest listed_before = teller.frame("");
  PausingDatabase pausing(*second_, sql::events_append);
  auto creating =
      start(pausing, [](const fleet::Context& context) { return fleet::resource_created(context, FleetWorld::container("c")); });
  auto syncing = start_and_see_it_wait(
      [listed_before](const fleet::Context& context) { return fleet::sync(context, {.key = "", .worker = "w1"}, listed_before); });
  pausing.go_on();
  must(creating.get());
  must(syncing.get());
  EXPECT_EQ(world.containers(), "c:created") << "not missing";
}

TEST_F(Race, AClaimBeatsBesideARunningSlice) {
  world.add_container("c", "");
  const fleet::Claim claim = world.claim();
  PausingDatabase pausing(*second_, sql::orphan_mark);
  auto marking = start_marking(pausing);
  const ports::Rows beaten = must(first_->run(sql::claim_beat, {claim.name, claim.holder, claim.epoch}));
  EXPECT_EQ(beaten.size(), 1U);
  pausing.go_on();
  EXPECT_EQ(must(marking.get()).changed, 1);
}

TEST_F(Race, AClaimMovesOnOnlyWhenTheRunningSliceIsThrough) {
  world.add_container("c", "");
  const fleet::Claim claim = world.claim();
  PausingDatabase pausing(*second_, sql::orphan_mark);
  auto marking = start_marking(pausing);
  auto taking = start_and_see_it_wait([claim](const fleet::Context& context) {
    return context.database.run(sql::claim_take, {claim.name, std::string("other"), claim.epoch, std::int64_t{0}});
  });
  pausing.go_on();
  EXPECT_EQ(must(taking.get()).size(), 1U);
  (void)marking.get().ok();  // refused by now, or already through
  EXPECT_EQ(world.containers(), "c:destroying") << "the slice that held the claim is not undone";
  world.add_container("d", "");
  EXPECT_EQ(fleet::mark_orphans(world.context(), claim).error().kind, Error::Kind::kFenced);
  EXPECT_EQ(world.containers(), "c:destroying d:created");
}

class Keys : public Race {
 protected:
  void SetUp() override {
    Race::SetUp();
    must(fleet::put_worker(world.context(), {.name = WorkerName("w1"), .keys = {{kKey}}}));
    teller.tell("");
    teller.tell("");
  }
  // A sync by the key, that waits while the worker's keys become `keys`.
  Result<fleet::SyncOutcome> sync_beside(std::vector<std::string> keys, const wire::SyncRequest& request) {
    PausingDatabase pausing(*second_, sql::events_append);
    auto changing = start(pausing, [keys = std::move(keys)](const fleet::Context& context) {
      return fleet::put_worker(context, {.name = WorkerName("w1"), .keys = keys});
    });
    auto syncing = start_and_see_it_wait(
        [request](const fleet::Context& context) { return fleet::sync(context, {.key = kKey, .worker = ""}, request); });
    pausing.go_on();
    must(changing.get());
    return syncing.get();
  }
  wire::SyncRequest nothing_new() {
    wire::SyncRequest request = teller.frame("");
    request.inventories = {};
    request.same = true;
    return request;
  }
  sim::Teller teller{world};
};

TEST_F(Keys, AKeyTakenAwayWhileASyncWaitsIsRefused) {
  const auto refused = sync_beside({}, teller.frame("x"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, Error::Kind::kUnauthenticated);
}

TEST_F(Keys, AKeyTakenAwayWhileAQuietSyncWaitsIsRefused) {
  const auto refused = sync_beside({}, nothing_new());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, Error::Kind::kUnauthenticated);
}

TEST_F(Keys, AKeyThatStaysIsNotRefusedMeanwhile) {
  EXPECT_TRUE(sync_beside({kKey, kKey + "2"}, teller.frame("x")).ok());
  EXPECT_TRUE(sync_beside({kKey}, nothing_new()).ok());
}

}  // namespace
}  // namespace reclaim::test
