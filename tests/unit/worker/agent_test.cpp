#include "worker/agent.hpp"

#include <gtest/gtest.h>

#include "unit/worker/worker_world.hpp"

namespace reclaim::worker {
namespace {

using Strings = std::vector<std::string>;
constexpr auto kContainer = ResourceKind::kContainer;
constexpr auto kVolume = ResourceKind::kVolume;

TEST(Agent, FirstSyncIsFullAndKnowsNoMark) {
  WorkerWorld world;
  world.containers.resources = {"c2", "c1"};
  (void)world.turn();
  EXPECT_EQ(world.last().as_of, 0);
  EXPECT_EQ(world.last().sequence, 1);
  EXPECT_FALSE(world.last().answered);
  EXPECT_FALSE(world.last().inventories.containers->base);
  EXPECT_EQ(world.last().inventories.containers->added, (Strings{"c1", "c2"}));
}

TEST(Agent, SecondSyncIsTheDifferenceUnderTheMarkOfTheFirstAnswer) {
  WorkerWorld world;
  world.containers.resources = {"c1", "c2"};
  (void)world.turn();
  world.containers.resources = {"c2", "c3"};
  world.server.high_water = 500;
  (void)world.turn();
  const wire::Inventory& delta = *world.last().inventories.containers;
  SetDigest expected;
  expected.add("c2");
  expected.add("c3");
  EXPECT_EQ(world.last().as_of, 100);
  EXPECT_EQ(delta.base, 1);
  EXPECT_EQ(delta.added, Strings{"c3"});
  EXPECT_EQ(delta.removed, Strings{"c1"});
  EXPECT_EQ(delta.count, 2);
  EXPECT_EQ(delta.digest, expected);
}

TEST(Agent, AsOfIsTheMarkReceivedBeforeListingBegan) {
  WorkerWorld world;
  (void)world.turn();
  world.server.high_water = 200;
  (void)world.turn();
  // While the next listing runs the server moves on; the worker has not heard of it.
  world.while_listing = [&world] { world.server.high_water = 300; };
  (void)world.turn();
  EXPECT_EQ(world.last().as_of, 200);
}

TEST(Agent, NothingNewIsSaidInOneFlag) {
  WorkerWorld world;
  world.containers.resources = {"c1"};
  (void)world.turn();
  (void)world.turn();
  EXPECT_TRUE(world.last().same);
  EXPECT_FALSE(world.last().inventories.containers);
  world.containers.resources = {"c1", "c2"};
  (void)world.turn();
  EXPECT_FALSE(world.last().same);
  EXPECT_EQ(world.last().inventories.containers->base, 1) << "a short frame acknowledges no inventory";
}

TEST(Agent, AfterALostAnswerNothingNewIsNotSaid) {
  WorkerWorld world;
  (void)world.turn();
  world.server.lose_answers = 1;
  (void)world.turn();
  (void)world.turn();
  EXPECT_FALSE(world.last().same);
  EXPECT_EQ(world.last().inventories.containers->base, 1);
}

TEST(Agent, ResyncOfAKindMakesItsNextInventoryFull) {
  WorkerWorld world;
  world.volumes.resources = {"v1"};
  world.server.resync = {kVolume};
  (void)world.turn();
  (void)world.turn();
  EXPECT_TRUE(world.last().inventories.containers->base);
  EXPECT_FALSE(world.last().inventories.volumes->base);
}

TEST(Agent, KindWhoseListFailsIsLeftOutAndSaidOnce) {
  WorkerWorld world;
  world.volumes.readable = false;
  const Turn first = world.turn();
  EXPECT_FALSE(world.last().inventories.volumes);
  EXPECT_TRUE(world.last().inventories.containers);
  ASSERT_EQ(first.notes.size(), 1U);
  EXPECT_NE(first.notes[0].text.find("dir:/v: the disk is away"), std::string::npos) << first.notes[0].text;
  EXPECT_EQ(world.last().unlisted, (std::vector<wire::Unlisted>{{kVolume, "dir:/v: the disk is away"}}));
  EXPECT_TRUE(world.turn().notes.empty());
  EXPECT_EQ(world.last().unlisted.size(), 1U) << "in every sync, for a server may have missed it";
  world.volumes.readable = true;
  EXPECT_EQ(world.turn().notes.size(), 1U);
  EXPECT_TRUE(world.last().unlisted.empty());
}

TEST(Agent, ListThatIsNotBackLeavesItsKindOutAndNothingElse) {
  WorkerWorld world;
  world.containers.resources = {"c1"};
  world.server.mark(kContainer, "c1");
  world.turn_without_volumes();
  EXPECT_TRUE(world.last().inventories.containers);
  EXPECT_FALSE(world.last().inventories.volumes);
  EXPECT_TRUE(world.last().unlisted.empty()) << "being slow is no news";
  world.finish_all();
  EXPECT_TRUE(world.containers.resources.empty());
}

TEST(Agent, ListThatDoesNotComeBackIsSaidOnceItIsLongOverdue) {
  WorkerWorld world;
  world.turn_without_volumes();
  world.clock.advance(kListOverdue);
  world.turn_without_volumes();
  EXPECT_EQ(world.last().unlisted, (std::vector<wire::Unlisted>{{kVolume, "dir:/v: its list does not come back"}}));
  world.end_list();
  world.turn_without_volumes();
  EXPECT_TRUE(world.last().unlisted.empty());
}

// What changed after a list began is not in it. Sent under a newer mark it would make the server miss what is there, and destroy what it
// does not know to be gone.
TEST(Agent, ListingThatComesLateIsSentUnderTheMarkUnderWhichItBegan) {
  WorkerWorld world;
  (void)world.turn();
  world.turn_without_volumes();
  world.server.high_water = 200;
  world.turn_without_volumes();
  EXPECT_EQ(world.last().as_of, 100);
  world.volumes.resources = {"v1"};
  world.turn_without_volumes();
  EXPECT_EQ(world.last().as_of, 200) << "a kind that is left out holds nothing back";
  world.end_list();
  world.turn_without_volumes();
  EXPECT_EQ(world.last().as_of, 100);
  EXPECT_TRUE(world.last().same) << "v1 came after the list began";
  world.end_list();
  (void)world.turn();
  EXPECT_EQ(world.last().as_of, 200);
  EXPECT_EQ(world.last().inventories.volumes->added, Strings{"v1"});
}

TEST(Agent, ListingOfAFormerConversationKnowsNoMark) {
  WorkerWorld world;
  (void)world.turn();
  world.turn_without_volumes();
  world.server.fence = "lineage";
  world.turn_without_volumes();
  world.server.fence.reset();
  world.turn_without_volumes();
  world.end_list();
  world.turn_without_volumes();
  EXPECT_TRUE(world.last().inventories.volumes);
  EXPECT_EQ(world.last().as_of, 0);
}

TEST(Agent, ResultWaitsInHandForASyncWhoseMarkCoversItsOrder) {
  WorkerWorld world;
  (void)world.turn();
  world.turn_without_volumes();
  world.containers.resources = {"c1"};
  world.server.mark(kContainer, "c1");
  world.turn_without_volumes();
  world.finish_all();
  world.end_list();
  world.turn_without_volumes();
  EXPECT_EQ(world.last().as_of, 100);
  EXPECT_TRUE(world.last().results.empty());
  EXPECT_EQ(world.last().in_hand.containers, Strings{"c1"});
  world.turn_without_volumes();
  EXPECT_EQ(world.last().results.size(), 1U);
  EXPECT_TRUE(world.last().in_hand.containers.empty());
  EXPECT_TRUE(world.server.destroying.containers.empty());
}

TEST(Agent, SaysWhichBootItIsAndWhatItsOperatorAgreedTo) {
  AgentOptions options;
  options.boot = "boot-1";
  options.accepts_new_incarnation = true;
  WorkerWorld world(options);
  (void)world.turn();
  EXPECT_EQ(world.last().boot, "boot-1");
  EXPECT_TRUE(world.last().accepts_new_incarnation);
  (void)world.turn();
  EXPECT_TRUE(world.last().same);
  EXPECT_EQ(world.last().boot, "");
}

TEST(Agent, SaysOnceWhatAnOperatorHasToDo) {
  WorkerWorld world;
  world.server.fence = "lineage";
  EXPECT_EQ(world.turn().notes.size(), 1U);
  EXPECT_TRUE(world.turn().notes.empty());
}

TEST(Agent, MalformedNamesAreReportedApart) {
  WorkerWorld world;
  world.volumes.resources = {"v1", "a b", "-x"};
  (void)world.turn();
  EXPECT_EQ(world.last().inventories.volumes->added, Strings{"v1"});
  EXPECT_EQ(world.last().malformed, (std::vector<wire::Malformed>{{kVolume, "-x"}, {kVolume, "a b"}}));
}

TEST(Agent, DestroysWhatIsOrderedAndReportsIt) {
  WorkerWorld world;
  world.containers.resources = {"c1", "c2"};
  world.server.mark(kContainer, "c1");
  (void)world.turn();
  world.finish_all();
  EXPECT_EQ(world.containers.resources, std::set<std::string>{"c2"});
  (void)world.turn();
  EXPECT_EQ(world.last().results, (std::vector<wire::DestroyResult>{{kContainer, "c1", true, "", 1, false, 0}}));
  EXPECT_TRUE(world.server.destroying.containers.empty());
  (void)world.turn();
  EXPECT_TRUE(world.last().results.empty()) << "an answered result is not sent again";
}

TEST(Agent, OrderStaysInHandUntilTheDriverReturned) {
  WorkerWorld world;
  world.containers.resources = {"c1"};
  world.server.mark(kContainer, "c1");
  (void)world.turn();
  (void)world.turn();
  EXPECT_EQ(world.last().in_hand.containers, Strings{"c1"}) << "queued";
  world.start_orders();
  (void)world.turn();
  EXPECT_EQ(world.last().in_hand.containers, Strings{"c1"}) << "running";
  world.finish(world.running[0]);
  (void)world.turn();
  EXPECT_TRUE(world.last().in_hand.containers.empty());
  EXPECT_EQ(world.last().results.size(), 1U);
}

TEST(Agent, QueuedOrderOfAWorkerThatWasStoppedForLongDoesNotBegin) {
  WorkerWorld world;
  world.containers.resources = {"c1"};
  world.server.mark(kContainer, "c1");
  (void)world.turn();
  world.clock.advance(Millis(60'001));
  world.start_orders();
  EXPECT_TRUE(world.running.empty()) << "c1 may be somebody else's by now";
  (void)world.turn();
  EXPECT_TRUE(world.last().in_hand.containers.empty());
  world.start_orders();
  EXPECT_EQ(world.running.size(), 1U) << "the server still wants it gone";
}

TEST(Agent, OrderPastItsDeadlineIsStuckInEverySyncAndStaysInHand) {
  WorkerWorld world;
  world.server.mark(kVolume, "v1");
  (void)world.turn();
  world.start_orders();
  world.clock.advance(Millis(300'001));
  for (int i = 0; i < 3; ++i) {
    (void)world.turn();
    ASSERT_EQ(world.last().results.size(), 1U);
    EXPECT_TRUE(world.last().results[0].stuck);
    EXPECT_FALSE(world.last().results[0].succeeded);
    EXPECT_EQ(world.last().in_hand.volumes, Strings{"v1"});
  }
  world.finish(world.running[0]);
  (void)world.turn();
  EXPECT_EQ(world.last().results, (std::vector<wire::DestroyResult>{{kVolume, "v1", true, "", 1, false, 300'001}}));
}

TEST(Agent, OrdersOfALostAnswerAreNotTaken) {
  WorkerWorld world;
  world.containers.resources = {"c1"};
  (void)world.turn();
  world.server.mark(kContainer, "c1");
  world.server.lose_answers = 1;
  (void)world.turn();
  // The mark is taken back before the next sync; what the lost answer ordered must never happen.
  world.server.destroying.containers.clear();
  (void)world.turn();
  world.finish_all();
  EXPECT_EQ(world.containers.resources, std::set<std::string>{"c1"});
}

TEST(Agent, AnswerToAnOlderSyncIsNotTaken) {
  WorkerWorld world;
  world.containers.resources = {"c1"};
  world.server.mark(kContainer, "c1");
  (void)world.agent->begin(world.clock.now());
  (void)world.agent->prepare(std::nullopt, world.clock.now());
  (void)world.agent->take(unavailable("late"), world.clock.now());
  (void)world.agent->begin(world.clock.now());
  (void)world.agent->prepare(std::nullopt, world.clock.now());
  wire::SyncAnswer old{.sequence = 1, .lineage = "lineage-1", .high_water = 7};
  old.destroy.containers = {"c1"};
  (void)world.agent->take(old, world.clock.now());
  world.finish_all();
  EXPECT_EQ(world.containers.resources, std::set<std::string>{"c1"});
  EXPECT_FALSE(world.memory.answered) << "it is not an answer received";
}

TEST(Agent, ResultIsSentAgainUntilAnAnswerComes) {
  WorkerWorld world;
  world.containers.resources = {"c1"};
  world.server.mark(kContainer, "c1");
  (void)world.turn();
  world.finish_all();
  world.server.lose_answers = 2;
  for (int i = 0; i < 3; ++i) {
    (void)world.turn();
    EXPECT_EQ(world.last().results.size(), 1U) << i;
  }
  (void)world.turn();
  EXPECT_TRUE(world.last().results.empty());
}

TEST(Agent, ResentResultDoesNotForgetTheNextBearerOfTheHandle) {
  WorkerWorld world;
  world.containers.resources = {"c1"};
  world.server.mark(kContainer, "c1");
  (void)world.turn();
  world.finish_all();
  world.server.lose_answers = 1;
  (void)world.turn();
  ASSERT_TRUE(world.server.destroying.containers.empty());
  // The handle is used again and marked again before the result is resent.
  world.containers.resources = {"c1"};
  world.server.mark(kContainer, "c1");
  (void)world.turn();
  EXPECT_EQ(world.server.destroying.containers.count("c1"), 1U);
  world.finish_all();
  (void)world.turn();
  EXPECT_TRUE(world.server.destroying.containers.empty());
  EXPECT_TRUE(world.containers.resources.empty());
}

// Lists of volumes come back turns late, now and then: syncs then go out under older marks.
template <class Draw>
void draw_turn(WorkerWorld& world, Draw& draw) {
  if (world.is_listing() && draw(2) == 0) world.end_list();
  if (world.is_listing() || draw(3) == 0) {
    world.turn_without_volumes();
  } else {
    (void)world.turn();
  }
}

// Whatever answers are lost, whatever lists are late, however slowly orders run, also when what they are for is gone behind their back and
// its handle is used again: all that is marked goes, nothing else, and no row is forgotten for which something may still act.
TEST(Agent, NothingIsForgottenWhateverAnswersAreLost) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    WorkerWorld world;
    unsigned state = seed;
    const auto draw = [&state](unsigned below) { return (state = state * 1664525U + 1013904223U) / 65536U % below; };
    for (int i = 0; i < 12; ++i) world.containers.resources.insert("c" + std::to_string(i));
    world.containers.poisoned = {"c3"};
    for (int step = 0; step < 60; ++step) {
      const std::string handle = "c" + std::to_string(draw(6));
      if (draw(3) == 0 && world.containers.resources.contains(handle) && !world.server.destroying.containers.contains(handle)) {
        world.server.mark(kContainer, handle);
      }
      if (draw(4) == 0) world.containers.resources.erase(handle);
      if (draw(4) == 0 && !world.server.destroying.containers.contains(handle)) world.containers.resources.insert(handle);
      if (draw(3) == 0) world.server.lose_answers = 1;
      if (step == 40) world.containers.poisoned.clear();
      draw_turn(world, draw);
      world.start_orders();
      for (const Start& order : world.running) {
        const bool is_known = world.server.destroying.containers.contains(order.handle);
        ASSERT_TRUE(is_known) << "seed " << seed << ": " << order.handle << " is in hand, and its row is gone";
      }
      if (!world.running.empty() && draw(2) == 0) {
        const Start order = world.running.front();
        world.running.erase(world.running.begin());
        world.finish(order);
      }
    }
    world.server.lose_answers = 0;
    if (world.is_listing()) world.end_list();
    for (int i = 0; i < 10; ++i) {
      (void)world.turn();
      world.finish_all();
    }
    EXPECT_TRUE(world.server.destroying.containers.empty()) << "seed " << seed;
    for (int i = 6; i < 12; ++i) EXPECT_TRUE(world.containers.resources.contains("c" + std::to_string(i))) << "seed " << seed;
  }
}

TEST(Agent, FencedBySequenceGoesOnWithAHigherOne) {
  WorkerWorld world;
  (void)world.turn();
  world.server.fence = "sequence";
  EXPECT_EQ(world.turn().verdict, Turn::Verdict::kGoOn);
  world.server.fence.reset();
  (void)world.turn();
  EXPECT_EQ(world.last().sequence, 3);
}

TEST(Agent, SupersededStartsNoQueuedOrder) {
  WorkerWorld world;
  world.containers.resources = {"c1"};
  world.server.mark(kContainer, "c1");
  (void)world.turn();
  world.server.fence = "session";
  EXPECT_EQ(world.turn().verdict, Turn::Verdict::kSuperseded);
  world.finish_all();
  EXPECT_EQ(world.containers.resources, std::set<std::string>{"c1"});
}

TEST(Agent, FencedByLineageDestroysNothingAndBeginsAnew) {
  WorkerWorld world;
  world.containers.resources = {"c1"};
  world.server.mark(kContainer, "c1");
  (void)world.turn();
  world.server.fence = "lineage";
  EXPECT_EQ(world.turn().verdict, Turn::Verdict::kGoOn);
  world.finish_all();
  EXPECT_EQ(world.containers.resources, std::set<std::string>{"c1"});
  (void)world.turn();
  EXPECT_EQ(world.last().as_of, 0);
  EXPECT_FALSE(world.last().inventories.containers->base);
  EXPECT_TRUE(world.last().in_hand.containers.empty());
}

TEST(Agent, AnswerUnderAForeignLineageIsNotObeyed) {
  WorkerWorld world;
  world.containers.resources = {"c1"};
  (void)world.turn();
  world.server.lineage = "lineage-2";
  world.server.mark(kContainer, "c1");
  (void)world.turn();
  world.finish_all();
  EXPECT_EQ(world.containers.resources, std::set<std::string>{"c1"});
  EXPECT_EQ(world.memory.answered->lineage, "lineage-1");
}

TEST(Agent, FollowsALineageThatReplacesItsOwnAfterBeginningAnew) {
  WorkerWorld world;
  world.containers.resources = {"c1"};
  (void)world.turn();
  world.server.lineage = "lineage-2";
  world.server.replaces = {"lineage-1"};
  world.server.mark(kContainer, "c1");
  (void)world.turn();
  world.start_orders();
  EXPECT_TRUE(world.running.empty()) << "the first answer was to what was asked under the old lineage";
  (void)world.turn();
  EXPECT_EQ(world.last().as_of, 0);
  EXPECT_EQ(world.last().answered->lineage, "lineage-2");
  world.finish_all();
  EXPECT_TRUE(world.containers.resources.empty());
}

TEST(Agent, RemembersTheLastAnswerAcrossItsOwnDeath) {
  WorkerWorld world;
  (void)world.turn();
  world.start();
  (void)world.turn();
  EXPECT_EQ(world.last().answered, (wire::Answered{"lineage-1", "session-1", 1}));
  EXPECT_EQ(world.last().as_of, 0) << "a new session has heard of nothing";
}

TEST(Agent, FullDiskUnderTheMemoryDoesNotStopReclaiming) {
  WorkerWorld world;
  world.memory.is_full = true;
  world.containers.resources = {"c1"};
  world.server.mark(kContainer, "c1");
  EXPECT_EQ(world.turn().notes.size(), 1U);
  world.finish_all();
  EXPECT_TRUE(world.containers.resources.empty());
  (void)world.turn();
  EXPECT_EQ(world.last().answered->sequence, 1) << "the process itself remembers";
}

TEST(Agent, ObserverDestroysNothingAndSaysOnceWhatItWould) {
  AgentOptions options;
  options.observe = true;
  WorkerWorld world(options);
  world.containers.resources = {"c1"};
  world.server.mark(kContainer, "c1");
  const Turn turn = world.turn();
  ASSERT_EQ(turn.notes.size(), 1U);
  EXPECT_EQ(turn.notes[0].text, "would destroy container c1");
  EXPECT_TRUE(world.turn().notes.empty());
  world.finish_all();
  EXPECT_EQ(world.containers.resources, std::set<std::string>{"c1"});
}

TEST(Agent, HandleUnderTwoRootsIsShownAndNeverDestroyed) {
  CountingRandom random;
  KeptMemory memory;
  SetDriver first(kVolume, "dir:/a");
  SetDriver second(kVolume, "dir:/b");
  Agent agent({}, {&first, &second}, memory, random);
  (void)agent.begin({});
  agent.listed(0, std::vector<ports::Listed>{{"v1"}, {"v2"}}, {});
  agent.listed(1, std::vector<ports::Listed>{{"v1"}}, {});
  const wire::SyncRequest request = agent.prepare({}, {});
  EXPECT_EQ(request.inventories.volumes->added, Strings{"v2"});
  EXPECT_EQ(request.malformed, (std::vector<wire::Malformed>{{kVolume, "v1"}}));
  EXPECT_TRUE(agent.drivers_of(kVolume, "v1").empty());
  EXPECT_EQ(agent.drivers_of(kVolume, "v2"), (std::vector<ports::ResourceDriver*>{&first}));
  EXPECT_EQ(agent.drivers_of(kVolume, "gone").size(), 2U);
}

TEST(Agent, KindWithoutDriversIsNeverReportedAsEmpty) {
  CountingRandom random;
  KeptMemory memory;
  SetDriver volumes(kVolume, "dir:/a");
  Agent agent({}, {&volumes}, memory, random);
  (void)agent.begin({});
  agent.listed(0, std::vector<ports::Listed>{}, {});
  const wire::SyncRequest request = agent.prepare({}, {});
  EXPECT_FALSE(request.inventories.containers);
  EXPECT_TRUE(request.inventories.volumes);
}

TEST(Agent, ComesBackWhenTheServerSaysButAtLeastEveryInterval) {
  WorkerWorld world;
  world.server.next_sync_ms = 5'000;
  EXPECT_EQ(world.turn().pause, Millis(5'000));
  world.server.next_sync_ms = 90'000;
  EXPECT_EQ(world.turn().pause, Millis(30'000));
}

TEST(Agent, WaitsAtTheServerOnlyWithNothingInHand) {
  AgentOptions options;
  options.hold_max = Millis(20'000);
  WorkerWorld world(options);
  EXPECT_EQ(world.turn().pause, Millis(0)) << "the next turn does the waiting";
  world.server.mark(kContainer, "c1");
  (void)world.turn();
  EXPECT_EQ(world.last().wait_ms, 20'000);
  (void)world.turn();
  EXPECT_EQ(world.last().wait_ms, 0) << "an order is in hand";
}

TEST(Agent, HeldAnswerThatComesAtOnceIsNotAskedForAgainAtOnce) {
  AgentOptions options;
  options.hold_max = Millis(20'000);
  WorkerWorld world(options);
  (void)world.turn();
  EXPECT_EQ(world.turn().pause, Millis(30'000));
}

TEST(Agent, BacksOffWhileTheGatewayIsAwayAndKeepsResults) {
  WorkerWorld world;
  world.server.mark(kContainer, "c1");
  (void)world.turn();
  world.finish_all();
  Millis last{0};
  for (int i = 0; i < 12; ++i) {
    world.server.lose_answers = 1;
    last = world.turn().pause;
    EXPECT_GE(last, Millis(50));
    EXPECT_LE(last, Millis(10'000));
  }
  EXPECT_GE(last, Millis(5'000));
  EXPECT_EQ(world.last().results.size(), 1U);
}

}  // namespace
}  // namespace reclaim::worker
