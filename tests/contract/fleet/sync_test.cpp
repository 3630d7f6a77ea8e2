#include "contract/fleet/engines.hpp"
#include "fleet/events.hpp"

namespace reclaim::test {
namespace {

using sim::destroyed;
using sim::FleetWorld;
using sim::joined;
using sim::Teller;
using namespace std::chrono_literals;

constexpr auto kContainer = ResourceKind::kContainer;
constexpr auto kVolume = ResourceKind::kVolume;

class Sync : public FleetTest {
 protected:
  void SetUp() override {
    world.policy().unknown_grace = 60s;
    world.enroll("w1");
    world.own("build");
    teller.tell("");
  }
  Teller teller{world};
};

TEST_P(Sync, TheFirstAnswerOfASessionAsksForTheNextAtOnce) {
  Teller next(world, "w1", 2);
  EXPECT_EQ(next.tell("").next_sync_ms, 0);
  EXPECT_EQ(next.tell("").next_sync_ms, 30'000);
}

TEST_P(Sync, OrdersGoOutUntilTheyAreConfirmed) {
  world.add_container("c", "build");
  teller.tell("c");
  world.release("build");
  world.collect();
  EXPECT_EQ(joined(teller.tell("c").destroy.containers), "c");
  wire::SyncRequest done = teller.frame("");
  done.results = {destroyed(kContainer, "c")};
  EXPECT_EQ(joined(teller.tell(done).destroy.containers), "");
  EXPECT_EQ(world.containers(), "");
  EXPECT_EQ(world.unaccounted(), 0);
}

TEST_P(Sync, AbsenceFromAnInventoryThatCoversTheMarkConfirms) {
  world.add_container("c", "");
  world.collect();
  teller.tell("");  // quotes what it heard before the mark
  EXPECT_EQ(world.containers(), "c:destroying");
  teller.tell("");
  EXPECT_EQ(world.containers(), "");
}

TEST_P(Sync, NothingIsForgottenWhileAnOrderForItIsInHand) {
  world.add_container("c", "");
  world.collect();
  teller.tell("c");
  wire::SyncRequest holding = teller.frame("");
  holding.in_hand.containers = {"c"};
  holding.results = {destroyed(kContainer, "c")};
  EXPECT_EQ(joined(teller.tell(holding).destroy.containers), "");
  EXPECT_EQ(world.containers(), "c:destroying");
  teller.tell("");
  EXPECT_EQ(world.containers(), "");
}

TEST_P(Sync, AHandleIsNotReusableWhileItsRowExists) {
  world.add_container("c", "");
  world.collect();
  const auto again = fleet::register_resource(world.context(), {.name = FleetWorld::container("c"), .owner = OwnerId("build")});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().kind, Error::Kind::kConflict);
}

TEST_P(Sync, ADelayedInventoryJudgesNothingNewer) {
  const wire::SyncRequest late = teller.frame("");
  world.add_container("c", "build");
  sim::must(teller.send(late));
  EXPECT_EQ(world.containers(), "c:created") << "created after the listing began: not missing";
  teller.tell("");
  EXPECT_EQ(world.containers(), "c:created") << "still quoting the older mark";
  teller.tell("");
  EXPECT_EQ(world.containers(), "c:created,missing");
}

TEST_P(Sync, AResentAcknowledgementDoesNotForgetTheHandlesNextBearer) {
  world.add_container("c", "");
  world.collect();
  teller.tell("c");
  wire::SyncRequest first = teller.frame("");
  first.results = {destroyed(kContainer, "c")};
  sim::must(teller.send(first));  // the answer is lost: the worker quotes the old mark and resends the result
  world.add_container("c", "");
  world.collect();
  wire::SyncRequest resent = teller.frame("c");
  resent.results = {destroyed(kContainer, "c")};
  teller.tell(resent);
  EXPECT_EQ(world.containers(), "c:destroying") << "the next bearer's mark is above as_of";
}

TEST_P(Sync, WhatComesBackIsNotMissingAnyMore) {
  world.add_container("c", "build");
  teller.tell("c");
  teller.tell("c");
  teller.tell("");
  EXPECT_EQ(world.containers(), "c:created,missing");
  teller.tell("c");
  EXPECT_EQ(world.containers(), "c:created");
}

TEST_P(Sync, MissingBeyondTheGraceIsLost) {
  world.add_container("c", "build");
  teller.tell("c");
  teller.tell("");
  EXPECT_EQ(world.containers(), "c:created,missing");
  for (int i = 0; i < 5; ++i) {
    world.advance(60s);
    world.collect();
    teller.tell("");
  }
  world.collect();
  EXPECT_EQ(world.containers(), "");
  EXPECT_EQ(world.unaccounted(), 0);
}

// A new session begins at mark 0, so its first inventory judges nothing; the second has nothing new to say.
TEST_P(Sync, WhatVanishedWhileTheWorkerWasDownIsMissing) {
  world.add_container("c", "build");
  world.add_container("d", "build");
  teller.tell("c d");
  teller.tell("c d");
  sim::Teller next(world, "w1", 2);
  next.tell("d");
  wire::SyncRequest nothing_new = next.frame("");
  nothing_new.inventories = {};
  nothing_new.same = true;
  next.tell(nothing_new);
  EXPECT_EQ(world.containers(), "c:created,missing d:created");
}

TEST_P(Sync, CreatingIsNeverMissing) {
  sim::must(fleet::register_resource(world.context(), {.name = FleetWorld::container("c"), .owner = OwnerId("build")}));
  teller.tell("");
  teller.tell("");
  EXPECT_EQ(world.containers(), "c:creating");
}

TEST_P(Sync, AStrangerIsDestroyedAfterItsGrace) {
  teller.tell("s");
  world.advance(59s);
  teller.tell("s");
  world.collect();
  EXPECT_EQ(world.containers(), "");
  world.advance(1s);
  world.collect();
  EXPECT_EQ(world.containers(), "s:destroying");
  EXPECT_EQ(joined(teller.tell("s").destroy.containers), "s");
  EXPECT_EQ(world.unaccounted(), 0);
}

TEST_P(Sync, AStrangerThatIsRegisteredInTimeIsKept) {
  teller.tell("", "v");
  world.add_volume("v", {.owner = "build"});
  world.advance(60s);
  world.collect();
  teller.tell("", "v");
  EXPECT_EQ(world.volumes(), "v:created");
}

TEST_P(Sync, WithoutAGraceAStrangerIsDestroyedAtOnce) {
  world.policy().unknown_grace = 0s;
  EXPECT_EQ(joined(teller.tell("s").destroy.containers), "s");
}

TEST_P(Sync, WhatAnUnaskedWorkerAlreadyHasIsHeld) {
  world.policy().unknown_grace = 0s;
  world.enroll("w2", fleet::Existing::kHold);
  Teller newcomer(world, "w2");
  EXPECT_EQ(joined(newcomer.tell("old").destroy.containers), "");
  EXPECT_EQ(joined(newcomer.tell("old new").destroy.containers), "new");
}

TEST_P(Sync, AnAcknowledgementThatWasNotTrueComesToLight) {
  world.policy().unknown_grace = 0s;
  world.add_container("c", "");
  world.collect();
  teller.tell("c");
  wire::SyncRequest lie = teller.frame("c");
  lie.results = {destroyed(kContainer, "c")};
  teller.tell(lie);
  EXPECT_EQ(world.containers(), "") << "taken as absent from that sync's inventory";
  EXPECT_EQ(joined(teller.tell("c").destroy.containers), "c") << "but from no later one";
}

TEST_P(Sync, WhatItAcknowledgesIsNoStranger) {
  world.add_container("quick", "");
  world.collect();
  teller.tell("");
  wire::SyncRequest request = teller.frame("quick");  // listed for the first time, and destroyed right after
  request.results = {destroyed(kContainer, "quick")};
  teller.tell(request);
  teller.tell("");
  for (const fleet::RecordedEvent& recorded : sim::must(fleet::read_events(world.database(), 0, 1000))) {
    EXPECT_NE(recorded.event.action, "unknown") << recorded.event.reason;
  }
  EXPECT_EQ(sim::must(fleet::find_worker(world.context(), WorkerName("w1"))).unknown, 0);
}

TEST_P(Sync, AStuckDestroySaysForHowLongItHasBeenInHand) {
  world.add_container("c", "");
  world.collect();
  teller.tell("c");
  const auto holding = [&] {
    wire::SyncRequest request = teller.frame("c");
    request.in_hand.containers = {"c"};
    return request;
  };
  teller.tell(holding());
  world.advance(6min);
  wire::SyncRequest stuck = holding();
  stuck.results = {{.kind = kContainer, .handle = "c", .error = "still running", .stuck = true}};
  teller.tell(stuck);
  fleet::Resource row = sim::must(fleet::find_resource(world.context(), FleetWorld::container("c")));
  EXPECT_TRUE(row.stuck);
  EXPECT_EQ(row.in_hand_for, 6min);
  teller.tell("c");
  row = sim::must(fleet::find_resource(world.context(), FleetWorld::container("c")));
  EXPECT_EQ(row.in_hand_for, std::nullopt);
}

TEST_P(Sync, AFailedDestroyComesAgainLater) {
  world.add_container("c", "");
  world.collect();
  teller.tell("c");
  wire::SyncRequest failing = teller.frame("c");
  failing.results = {sim::failed(kContainer, "c", "busy")};
  const wire::SyncAnswer answer = teller.tell(failing);
  EXPECT_EQ(joined(answer.destroy.containers), "");
  EXPECT_EQ(answer.next_sync_ms, 1000);
  world.advance(1s);
  EXPECT_EQ(joined(teller.tell("c").destroy.containers), "c");
  const fleet::Resource row = sim::must(fleet::find_resource(world.context(), FleetWorld::container("c")));
  EXPECT_EQ(row.attempts, 1);
  EXPECT_EQ(row.last_error, "busy");
}

TEST_P(Sync, OrdersKeepTheOrderOfTheTree) {
  world.add_container("c", "build");
  world.add_volume("root", {.container = "c"});
  world.add_volume("leaf", {.container = "c", .parent = "root"});
  teller.tell("c", "leaf root");
  world.release("build");
  world.collect();
  const wire::SyncAnswer first = teller.tell("c", "leaf root");
  EXPECT_EQ(joined(first.destroy.containers), "") << "its volumes hang on it";
  EXPECT_EQ(joined(first.destroy.volumes), "leaf");
  wire::SyncRequest second = teller.frame("c", "root");
  second.results = {destroyed(kVolume, "leaf")};
  EXPECT_EQ(joined(teller.tell(second).destroy.volumes), "root");
}

TEST_P(Sync, AnswersAreBounded) {
  world.policy().brake_min = 2500;
  std::string all;
  for (int i = 0; i < 2500; ++i) all += " s" + std::to_string(i);
  teller.tell(all);
  world.advance(60s);
  world.collect();
  EXPECT_EQ(teller.tell(all).destroy.containers.size(), 1000U);
}

TEST_P(Sync, AnOlderOrRepeatedSequenceIsFenced) {
  const wire::SyncRequest request = teller.frame("");
  sim::must(teller.send(request));
  const auto again = teller.send(request);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().kind, Error::Kind::kFenced);
  EXPECT_EQ(again.error().field, "sequence");
}

TEST_P(Sync, AnEarlierSessionIsSuperseded) {
  Teller restarted(world, "w1", 2);
  restarted.tell("");
  const auto elder = teller.send(teller.frame(""));
  ASSERT_FALSE(elder.ok());
  EXPECT_EQ(elder.error().field, "session");
}

TEST_P(Sync, TwoWorkersWithOneStartCounterAreToldApart) {
  wire::SyncRequest twin = teller.frame("");
  twin.session = "another";
  const auto refused = teller.send(twin);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().field, "session");
}

TEST_P(Sync, AnAnswerThatThisServerNeverGaveFences) {
  wire::SyncRequest request = teller.frame("");
  request.as_of = 1'000'000;
  const auto refused = teller.send(request);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().field, "lineage");
}

TEST_P(Sync, TheOldSessionsOfADeletedWorkerStayFenced) {
  world.advance(world.policy().worker_expiry);
  world.collect();
  sim::must(fleet::prune_worker(world.context(), WorkerName("w1")));
  world.enroll("w1");
  const auto zombie = teller.send(teller.frame(""));
  ASSERT_FALSE(zombie.ok());
  EXPECT_EQ(zombie.error().field, "session");
  Teller restarted(world, "w1", 2);
  restarted.tell("");
}

TEST_P(Sync, ADeltaIsAnInventory) {
  world.add_container("a", "build");
  world.add_container("b", "build");
  teller.tell("a b");
  wire::SyncRequest delta = teller.frame("");
  wire::Inventory change{.base = delta.sequence - 1, .added = {"s"}, .removed = {"b"}, .count = 2};
  change.digest.add("a");
  change.digest.add("s");
  delta.inventories.containers = change;
  EXPECT_TRUE(teller.tell(delta).resync.empty());
  EXPECT_EQ(world.containers(), "a:created b:created,missing");
  world.advance(60s);
  world.collect();
  EXPECT_EQ(world.containers(), "a:created b:created,missing s:destroying");
}

TEST_P(Sync, ADeltaThatDoesNotFitAsksForAFullInventoryAndJudgesNothing) {
  world.add_container("a", "build");
  teller.tell("a");
  teller.tell("a");
  wire::SyncRequest delta = teller.frame("");
  delta.inventories.containers = wire::Inventory{.base = delta.sequence - 1, .removed = {"a"}, .count = 7};
  const wire::SyncAnswer answer = teller.tell(delta);
  ASSERT_EQ(answer.resync.size(), 1U);
  EXPECT_EQ(answer.resync[0], kContainer);
  EXPECT_EQ(world.containers(), "a:created");
}

TEST_P(Sync, AKindLeftOutIsNotJudged) {
  world.add_container("a", "build");
  teller.tell("a");
  wire::SyncRequest request = teller.frame("");
  request.inventories.containers.reset();
  teller.tell(request);
  teller.tell(request = [&] {
    auto next = teller.frame("");
    next.inventories.containers.reset();
    return next;
  }());
  EXPECT_EQ(world.containers(), "a:created");
}

TEST_P(Sync, MalformedNamesAreShownAndNeverDestroyed) {
  world.policy().unknown_grace = 0s;
  wire::SyncRequest request = teller.frame("ok");
  request.inventories.containers->added.push_back("../etc");
  request.malformed = {{kVolume, "a b"}};
  EXPECT_EQ(joined(teller.tell(request).destroy.containers), "ok");
  EXPECT_EQ(sim::must(fleet::find_worker(world.context(), WorkerName("w1"))).malformed, 2);
}

TEST_P(Sync, AFrozenWorkerGetsNoOrders) {
  world.add_container("c", "");
  world.collect();
  sim::must(fleet::freeze_worker(world.context(), WorkerName("w1"), "looking into it"));
  EXPECT_EQ(joined(teller.tell("c").destroy.containers), "");
  sim::must(fleet::unfreeze_worker(world.context(), WorkerName("w1")));
  EXPECT_EQ(joined(teller.tell("c").destroy.containers), "c");
}

TEST_P(Sync, AStalledWorkerThatSyncsRuns) {
  world.advance(world.policy().worker_expiry);
  world.collect();
  EXPECT_EQ(sim::must(fleet::find_worker(world.context(), WorkerName("w1"))).state, fleet::WorkerState::kStalled);
  teller.tell("");
  EXPECT_EQ(sim::must(fleet::find_worker(world.context(), WorkerName("w1"))).state, fleet::WorkerState::kRunning);
}

TEST_P(Sync, LandingWaitsForLiveUninterruptibleOwners) {
  world.own("surgery", std::nullopt, false);
  world.add_container("c", "surgery");
  sim::must(fleet::land_worker(world.context(), WorkerName("w1")));
  world.collect();
  EXPECT_EQ(sim::must(fleet::find_worker(world.context(), WorkerName("w1"))).state, fleet::WorkerState::kLanding);
  world.release("surgery");
  world.collect();
  EXPECT_EQ(sim::must(fleet::find_worker(world.context(), WorkerName("w1"))).state, fleet::WorkerState::kLanded);
}

TEST_P(Sync, EventsAreNumberedAndSayWhoAndWhy) {
  world.add_container("c", "");
  world.collect();
  std::int64_t last = 0;
  bool marked = false;
  for (const fleet::RecordedEvent& recorded : sim::must(fleet::read_events(world.database(), 0, 1000))) {
    EXPECT_GT(recorded.seq, last);
    last = recorded.seq;
    if (recorded.event.action != "marked") continue;
    marked = true;
    EXPECT_EQ(recorded.actor, "pass:mark-orphans");
    EXPECT_EQ(recorded.event.handle, "c");
    EXPECT_FALSE(recorded.event.reason.empty());
  }
  EXPECT_TRUE(marked);
}

ON_BOTH_ENGINES(Sync);

}  // namespace
}  // namespace reclaim::test
