// The guards: what a restored database, a wiped or swapped disk, a first contact, a reboot, an emptied or crowded inventory, and a
// handle that comes back are taken for. None of them destroys what somebody needs.
#include "contract/fleet/engines.hpp"
#include "fleet/events.hpp"
#include "fleet/explain.hpp"
#include "fleet/lineage.hpp"

namespace reclaim::test {
namespace {

using fleet::Accept;
using fleet::Existing;
using sim::FleetWorld;
using sim::joined;
using sim::must;
using sim::Teller;
using namespace std::chrono_literals;

constexpr auto kContainer = ResourceKind::kContainer;
constexpr auto kVolume = ResourceKind::kVolume;

std::string handles(int count, const std::string& prefix = "c") {
  std::string text;
  for (int i = 0; i < count; ++i) text += " " + prefix + std::to_string(i);
  return text;
}

class Guards : public FleetTest {
 protected:
  void SetUp() override {
    world.policy().unknown_grace = 60s;
    world.policy().missing_grace = 60s;
    world.own("build");
  }

  fleet::Worker worker(const std::string& name = "w1") { return must(fleet::find_worker(world.context(), WorkerName(name))); }
  std::string holds() {
    std::string text;
    for (const fleet::Hold& hold : worker().holds) text += (text.empty() ? "" : " ") + std::string(name_of(hold.what));
    return text;
  }
  void accept(Accept what, std::optional<Existing> strangers = std::nullopt) {
    must(fleet::accept_worker(world.context(), WorkerName("w1"), what, strangers));
  }
  int events(const std::string& action) {
    int count = 0;
    for (const fleet::RecordedEvent& recorded : must(fleet::read_events(world.database(), 0, 10'000))) {
      if (recorded.event.action == action) ++count;
    }
    return count;
  }
  std::string fenced_by(const Result<fleet::SyncOutcome>& outcome) { return outcome.ok() ? "" : outcome.error().field; }
  void pass_graces() {
    world.advance(61s);
    world.collect();
  }
  void add_many(int count) {
    for (int i = 0; i < count; ++i) world.add_container("c" + std::to_string(i), "build");
  }
};

// First contact.

TEST_P(Guards, WhatAMachineAlreadyHasIsHeldUntilTheOperatorDecides) {
  world.enroll("w1", Existing::kHold);
  Teller teller(world);
  for (int i = 0; i < 3; ++i) teller.tell("old1 old2", "disk");
  pass_graces();
  EXPECT_EQ(joined(teller.tell("old1 old2", "disk").destroy.containers), "");
  EXPECT_EQ(worker().held, 3);
  EXPECT_EQ(holds(), "existing");
  EXPECT_EQ(world.containers(), "");
}

TEST_P(Guards, HeldThingsThatAreAdoptedLiveUntilTheirOwnerIsReleased) {
  world.enroll("w1", Existing::kHold);
  Teller teller(world);
  teller.tell("old1 old2", "disk");
  teller.tell("old1 old2", "disk");
  accept(Accept::kExisting, Existing::kAdopt);
  EXPECT_EQ(holds(), "");
  EXPECT_EQ(world.containers() + " " + world.volumes(), "old1:created old2:created disk:created");
  teller.tell("old1 old2", "disk");
  pass_graces();
  EXPECT_EQ(joined(teller.tell("old1 old2", "disk").destroy.containers), "");
  EXPECT_EQ(world.unaccounted(), 0);
  must(fleet::release_owner(world.context(), OwnerId("adopted:w1"), 0ms));
  world.collect();
  EXPECT_EQ(joined(teller.tell("old1 old2", "disk").destroy.containers), "old1 old2");
}

TEST_P(Guards, HeldThingsThatAreToGoAreUnknownAndKeepTheirGrace) {
  world.enroll("w1", Existing::kHold);
  Teller teller(world);
  teller.tell(handles(30));
  teller.tell(handles(30));
  accept(Accept::kExisting, Existing::kDestroy);
  world.collect();
  EXPECT_EQ(worker().unknown, 30) << "not before the unknown grace";
  pass_graces();
  EXPECT_EQ(teller.tell(handles(30)).destroy.containers.size(), 30U) << "no brake on what the operator agreed to";
}

TEST_P(Guards, AMachineEnrolledToBeAdoptedIsAdoptedAtFirstContactOnly) {
  world.enroll("w1", Existing::kAdopt);
  Teller teller(world);
  teller.tell("old", "disk");
  EXPECT_EQ(world.containers() + " " + world.volumes(), "old:created disk:created");
  teller.tell("old", "disk");
  teller.tell("old later", "disk");
  EXPECT_EQ(worker().unknown, 1) << "what comes later is unknown like anything else";
  EXPECT_EQ(world.unaccounted(), 0);
}

TEST_P(Guards, AMachineEnrolledToBeEmptiedIsEmptiedWithoutABrake) {
  world.enroll("w1", Existing::kDestroy);
  Teller teller(world);
  teller.tell(handles(100));
  teller.tell(handles(100));
  EXPECT_EQ(worker().braked, "");
  pass_graces();
  EXPECT_EQ(teller.tell(handles(100)).destroy.containers.size(), 100U);
}

TEST_P(Guards, AnAnswerBeforeFirstContactDecidesIt) {
  world.enroll("w1", Existing::kHold);
  accept(Accept::kExisting, Existing::kAdopt);
  Teller teller(world);
  teller.tell("old");
  EXPECT_EQ(world.containers(), "old:created");
}

// The brake.

TEST_P(Guards, AnInventoryThatIsSuddenlyEmptyIsNotJudged) {
  world.enroll("w1");
  Teller teller(world);
  add_many(30);
  teller.tell(handles(30));
  teller.tell(handles(30));
  teller.tell("");
  EXPECT_EQ(worker().braked, "30 of 30 containers would be missing");
  EXPECT_EQ(holds(), "brake");
  EXPECT_EQ(joined(must(fleet::explain(world.context(), FleetWorld::container("c7"))).blocked_by),
            "worker w1 is braked: 30 of 30 containers would be missing");
  pass_graces();
  teller.tell("");
  EXPECT_EQ(worker().missing, 0);
  EXPECT_EQ(worker().containers, 30);
  EXPECT_EQ(events("braked"), 1) << "told once";
  teller.tell(handles(30));
  EXPECT_EQ(worker().braked, "") << "later inventories disagree";
}

TEST_P(Guards, ALiftedBrakeLetsTheNextInventoryThrough) {
  world.enroll("w1");
  Teller teller(world);
  add_many(30);
  teller.tell(handles(30));
  teller.tell(handles(30));
  teller.tell("");
  accept(Accept::kBrake);
  teller.tell("");
  EXPECT_EQ(worker().missing, 30);
  EXPECT_EQ(worker().braked, "");
  pass_graces();
  EXPECT_EQ(world.containers(), "");
  EXPECT_EQ(world.unaccounted(), 0);
}

TEST_P(Guards, ALiftedBrakeWaitsForAnInventoryThatCoversSomething) {
  world.enroll("w1");
  Teller teller(world);
  add_many(30);
  teller.tell(handles(30));
  teller.tell(handles(30));
  teller.tell("");
  accept(Accept::kBrake);
  Teller restarted(world, "w1", 2);
  restarted.tell("");
  EXPECT_EQ(worker().braked, "30 of 30 containers would be missing") << "the first inventory of a session judges nothing";
  restarted.tell("");
  EXPECT_EQ(worker().missing, 30);
}

TEST_P(Guards, ACrowdOfStrangersIsNotJudged) {
  world.enroll("w1");
  Teller teller(world);
  teller.tell("");
  teller.tell("");
  teller.tell(handles(21));
  teller.tell(handles(21));
  EXPECT_EQ(worker().braked, "21 containers that nobody knows, beside 0 that are known");
  pass_graces();
  EXPECT_EQ(joined(teller.tell(handles(21)).destroy.containers), "");
  EXPECT_EQ(world.containers(), "");
  accept(Accept::kBrake);
  teller.tell(handles(21));
  pass_graces();
  EXPECT_EQ(teller.tell(handles(21)).destroy.containers.size(), 21U);
}

TEST_P(Guards, TheBrakeOfOneKindStopsNoOther) {
  world.enroll("w1");
  Teller teller(world);
  world.add_volume("v", {.owner = "build"});
  add_many(30);
  teller.tell(handles(30), "v");
  teller.tell(handles(30), "v");
  teller.tell("", "");
  EXPECT_EQ(world.volumes(), "v:created,missing");
  EXPECT_EQ(worker().missing, 1);
}

TEST_P(Guards, ABrakeHoldsWhatWasMissingBeforeIt) {
  world.enroll("w1");
  Teller teller(world);
  add_many(30);
  teller.tell(handles(30));
  teller.tell(handles(30));
  teller.tell(handles(29));
  EXPECT_EQ(worker().missing, 1);
  teller.tell("");
  pass_graces();
  EXPECT_EQ(worker().containers, 30);
}

TEST_P(Guards, FewAreNoCrowd) {
  world.enroll("w1");
  Teller teller(world);
  add_many(20);
  teller.tell(handles(20));
  teller.tell(handles(20));
  teller.tell(handles(15, "stranger"));
  EXPECT_EQ(worker().braked, "");
  EXPECT_EQ(worker().missing, 20);
  EXPECT_EQ(worker().unknown, 15);
}

// Incarnations, sessions, boots.

wire::SyncRequest wiped(Teller& teller, std::string_view containers = "", std::string_view volumes = "") {
  wire::SyncRequest request = teller.frame(containers, volumes);
  request.incarnation = "incarnation-after-the-wipe";
  request.session = "session-after-the-wipe";
  return request;
}

TEST_P(Guards, AWipedMachineIsHeldUntilTheOperatorAccepts) {
  world.enroll("w1");
  Teller teller(world);
  add_many(3);
  teller.tell("c0 c1 c2");
  Teller reborn(world);
  EXPECT_EQ(fenced_by(reborn.send(wiped(reborn))), "lineage") << "destroy nothing, keep syncing";
  EXPECT_EQ(fenced_by(reborn.send(wiped(reborn))), "lineage");
  EXPECT_EQ(holds(), "incarnation");
  EXPECT_EQ(events("incarnation-held"), 1) << "told once";
  EXPECT_EQ(worker().containers, 3);
  teller.tell("c0 c1 c2");  // the former machine is still the worker
  accept(Accept::kIncarnation);
  reborn.tell(wiped(reborn));
  EXPECT_EQ(holds(), "");
  EXPECT_EQ(fenced_by(teller.send(teller.frame("c0 c1 c2"))), "session") << "the former one is superseded";
}

TEST_P(Guards, UnderANewIncarnationOnlyWhatIsAbsentIsLost) {
  world.enroll("w1");
  Teller teller(world);
  add_many(30);
  teller.tell(handles(30));
  Teller reborn(world);
  (void)reborn.send(wiped(reborn));
  accept(Accept::kIncarnation);
  reborn.tell(wiped(reborn, "c0 foreign"));
  reborn.tell(wiped(reborn, "c0 foreign"));
  EXPECT_EQ(worker().braked, "") << "an accepted wipe is no surprise";
  world.collect();
  EXPECT_EQ(world.containers(), "c0:created") << "no grace for those of the former disk";
  EXPECT_EQ(worker().held, 1) << "what the new disk had is held, as at first contact";
  EXPECT_EQ(world.unaccounted(), 0);
}

TEST_P(Guards, ACreateThatRacesTheNewIncarnationIsNotLost) {
  world.enroll("w1");
  Teller teller(world);
  teller.tell("");
  Teller reborn(world);
  (void)reborn.send(wiped(reborn));
  accept(Accept::kIncarnation);
  wire::SyncRequest listed_before = wiped(reborn);
  world.add_container("fresh", "build");  // on the new disk, after its first listing
  reborn.tell(listed_before);
  world.collect();
  EXPECT_EQ(world.containers(), "fresh:created");
  reborn.tell(wiped(reborn, "fresh"));
  world.collect();
  EXPECT_EQ(world.containers(), "fresh:created");
}

TEST_P(Guards, ConsentGivenBeforehandTakesAnIncarnationOnce) {
  world.enroll("w1");
  Teller teller(world);
  teller.tell("");
  const auto consenting = [](Teller& one, const std::string& incarnation, std::int64_t started) {
    wire::SyncRequest request = one.frame("");
    request.incarnation = incarnation;
    request.session = "session-of-" + incarnation + "-" + std::to_string(started);
    request.started = started;
    request.accepts_new_incarnation = true;
    return request;
  };
  Teller second(world);
  second.tell(consenting(second, "second", 1));
  Teller first(world);
  EXPECT_EQ(fenced_by(first.send(consenting(first, "incarnation-w1", 9))), "session")
      << "a superseded incarnation does not come back by consent: two machines with one key would take turns";
  EXPECT_EQ(holds(), "incarnation");
  accept(Accept::kIncarnation);
  first.tell(consenting(first, "incarnation-w1", 10));
}

TEST_P(Guards, TheStartCounterMayGoBackOnceIfTheOperatorSaysSo) {
  world.enroll("w1");
  Teller teller(world, "w1", 7);
  teller.tell("");
  Teller restored(world, "w1", 2);
  EXPECT_EQ(fenced_by(restored.send(restored.frame(""))), "session");
  accept(Accept::kSession);
  restored.tell("");
  EXPECT_EQ(fenced_by(teller.send(teller.frame(""))), "session") << "a superseded session never comes back";
  Teller third(world, "w1", 1);
  EXPECT_EQ(fenced_by(third.send(third.frame(""))), "session") << "once";
}

TEST_P(Guards, ContainersOfAnEarlierBootAreGoneByEvidence) {
  world.enroll("w1");
  Teller teller(world);
  add_many(30);
  world.add_volume("v", {.owner = "build"});
  const auto booted = [](Teller& one, const std::string& boot, std::string_view containers, std::string_view volumes) {
    wire::SyncRequest request = one.frame(containers, volumes);
    request.boot = boot;
    return request;
  };
  teller.tell(booted(teller, "boot-1", handles(30), "v"));
  Teller rebooted(world, "w1", 2);
  rebooted.tell(booted(rebooted, "boot-2", "", ""));
  rebooted.tell(booted(rebooted, "boot-2", "", ""));
  EXPECT_EQ(worker().braked, "") << "a reboot ends every container";
  world.collect();
  EXPECT_EQ(world.containers(), "");
  EXPECT_EQ(world.volumes(), "v:created,missing") << "volumes outlive a boot";
}

// Amnesia. What a worker heard from a control plane that then forgets is made up here by quoting it.

wire::SyncRequest quoting(wire::SyncRequest request, const std::string& lineage, const std::string& session, std::int64_t sequence) {
  request.answered = wire::Answered{lineage, session, sequence};
  return request;
}

class Amnesia : public Guards {
 protected:
  void SetUp() override {
    Guards::SetUp();
    world.enroll("w1");
    add_many(2);
    heard = teller.frame("c0 c1");
    teller.tell(heard);
  }
  wire::SyncRequest remembering(std::int64_t sequence, std::string_view containers = "c0 c1", const std::string& lineage = "l1") {
    return quoting(teller.frame(containers), lineage, heard.session, sequence);
  }
  // As a worker does that was fenced by `lineage`.
  wire::SyncRequest begun_anew(wire::SyncRequest request) {
    request.as_of = 0;
    return request;
  }
  Teller teller{world};
  wire::SyncRequest heard;
};

TEST_P(Amnesia, AnAnswerThatTheDatabaseNeverGaveFencesAndIsShown) {
  EXPECT_EQ(fenced_by(teller.send(remembering(5, "c0 c1 x"))), "lineage");
  EXPECT_EQ(fenced_by(teller.send(remembering(5, "c0 c1 x y"))), "lineage");
  const fleet::Lineage lineage = must(fleet::read_lineage(world.context()));
  ASSERT_EQ(lineage.regressed.size(), 1U);
  EXPECT_EQ(lineage.regressed[0].worker.str(), "w1");
  EXPECT_EQ(lineage.regressed[0].unknown.containers, 2);
  EXPECT_EQ(joined(lineage.regressed[0].unknown_names), "container x container y");
  EXPECT_EQ(holds(), "lineage");
  EXPECT_EQ(events("lineage-lost"), 1) << "told once";
}

TEST_P(Amnesia, NumbersThatGrewAgainDoNotHideIt) {
  for (int i = 0; i < 50; ++i) world.add_container("n" + std::to_string(i), "build");  // more changes than were lost
  wire::SyncRequest request = remembering(5);
  request.as_of = 3;
  EXPECT_EQ(fenced_by(teller.send(request)), "lineage");
}

TEST_P(Amnesia, AnUnknownSessionOrLineageIsAmnesiaToo) {
  Teller restarted(world, "w1", 2);
  EXPECT_EQ(fenced_by(restarted.send(quoting(restarted.frame(""), "l1", "a-session-that-was-lost", 1))), "lineage");
  EXPECT_EQ(fenced_by(restarted.send(quoting(restarted.frame(""), "another", heard.session, 1))), "lineage");
}

TEST_P(Amnesia, AWorkerThatWasNeverAnsweredHereIsAmnesiaToo) {
  world.enroll("w2");
  Teller other(world, "w2");
  EXPECT_EQ(fenced_by(other.send(quoting(other.frame(""), "l1", "lost", 4))), "lineage");
}

TEST_P(Amnesia, ARestartIsNone) {
  Teller restarted(world, "w1", 2);
  restarted.tell(quoting(restarted.frame("c0 c1"), "l1", heard.session, 1));
  Teller again(world, "w1", 3);  // the answers of the second session were all lost
  again.tell(quoting(again.frame("c0 c1"), "l1", heard.session, 1));
  EXPECT_EQ(holds(), "");
}

TEST_P(Amnesia, APrunedWorkerThatIsEnrolledAgainIsNone) {
  world.advance(world.policy().worker_expiry);
  world.collect();
  must(fleet::prune_worker(world.context(), WorkerName("w1")));
  world.enroll("w1");
  Teller restarted(world, "w1", 2);
  restarted.tell(quoting(restarted.frame(""), "l1", heard.session, 1));
}

TEST_P(Amnesia, AnAcceptedLossAdoptsWhatIsUnknownAndKillsNothing) {
  world.add_container("reused", "");
  world.collect();
  ASSERT_EQ(world.containers(), "c0:created c1:created reused:destroying") << "marked in the backup, another's by now";
  (void)teller.send(remembering(5, "c0 c1 reused new"));
  const fleet::Lineage begun = must(fleet::accept_lineage(world.context(), "l2", Existing::kAdopt));
  EXPECT_EQ(begun.id, "l2");
  EXPECT_EQ(joined(begun.replaces), "l1");
  EXPECT_EQ(fenced_by(teller.send(remembering(5, "c0 c1 reused new"))), "lineage") << "it has to begin anew";
  const wire::SyncAnswer answer = teller.tell(begun_anew(remembering(5, "c0 c1 reused new")));
  EXPECT_EQ(answer.lineage, "l2");
  EXPECT_EQ(joined(answer.replaces), "l1");
  EXPECT_EQ(joined(answer.destroy.containers), "");
  EXPECT_EQ(world.containers(), "c0:created c1:created new:created reused:created");
  wire::SyncRequest next = quoting(teller.frame("c0 c1 reused new"), "l2", heard.session, answer.sequence);
  EXPECT_EQ(joined(teller.tell(next).destroy.containers), "");
  pass_graces();
  EXPECT_EQ(holds(), "");
  EXPECT_EQ(world.unaccounted(), 0);
}

TEST_P(Amnesia, AnAcceptedLossMayAlsoDestroyWhatIsUnknownAfterItsGrace) {
  (void)teller.send(remembering(5, "c0 c1 stray"));
  must(fleet::accept_lineage(world.context(), "l2", Existing::kDestroy));
  const wire::SyncAnswer answer = teller.tell(begun_anew(remembering(5, "c0 c1 stray")));
  teller.tell(quoting(teller.frame("c0 c1 stray"), "l2", heard.session, answer.sequence));
  world.collect();
  EXPECT_EQ(world.containers(), "c0:created c1:created");
  pass_graces();
  EXPECT_EQ(joined(teller.tell(quoting(teller.frame("c0 c1 stray"), "l2", heard.session, answer.sequence)).destroy.containers), "stray");
}

TEST_P(Amnesia, WorkersThatLostNothingBeginAnewToo) {
  world.enroll("w2");
  Teller other(world, "w2");
  world.add_container("o", "build", "w2");
  other.tell("o");
  (void)teller.send(remembering(5));
  must(fleet::accept_lineage(world.context(), "l2", Existing::kAdopt));
  wire::SyncRequest same{
      .session = "session-w2-1", .incarnation = "incarnation-w2", .started = 1, .sequence = ++other.sequence, .as_of = other.high_water};
  same.same = true;
  EXPECT_EQ(fenced_by(other.send(same)), "lineage") << "also where it quotes nothing";
  other.tell(begun_anew(quoting(other.frame("o"), "l1", "session-w2-1", 1)));
  EXPECT_EQ(world.containers("w2"), "o:created");
}

// What was lost and comes back.

TEST_P(Guards, AHandleThatComesBackHasItsRowAgainIfItsOwnerLives) {
  world.enroll("w1");
  Teller teller(world);
  world.add_container("c", "build");
  world.add_volume("v", {.container = "c"});
  world.add_volume("child", {.container = "c", .parent = "v"});
  for (int i = 0; i < 2; ++i) teller.tell("c", "v child");
  teller.tell("", "");
  pass_graces();
  EXPECT_EQ(world.containers() + world.volumes(), "");
  teller.tell("c", "v child");
  EXPECT_EQ(world.containers() + " " + world.volumes(), "c:created child:created v:created");
  pass_graces();
  EXPECT_EQ(joined(teller.tell("c", "v child").destroy.volumes), "");
  EXPECT_EQ(must(fleet::find_resource(world.context(), FleetWorld::volume("child"))).parent, "v");
  EXPECT_EQ(world.unaccounted(), 0);
}

TEST_P(Guards, AHandleThatComesBackAfterItsOwnerIsUnknown) {
  world.enroll("w1");
  Teller teller(world);
  world.add_container("c", "build");
  for (int i = 0; i < 2; ++i) teller.tell("c");
  teller.tell("");
  pass_graces();
  world.release("build");
  world.collect();
  teller.tell("c");
  EXPECT_EQ(world.containers(), "");
  EXPECT_EQ(worker().unknown, 1);
}

TEST_P(Guards, LostRowsAreRememberedForAWhileOnly) {
  world.policy().worker_expiry = 24h * 365;
  world.enroll("w1");
  Teller teller(world);
  world.add_container("c", "build");
  for (int i = 0; i < 2; ++i) teller.tell("c");
  teller.tell("");
  pass_graces();
  world.advance(world.policy().lost_retention + 1s);
  world.collect();
  teller.tell("c");
  EXPECT_EQ(world.containers(), "");
}

TEST_P(Guards, ANewBearerOfALostHandleIsNotMistakenForIt) {
  world.enroll("w1");
  Teller teller(world);
  world.add_container("c", "build");
  for (int i = 0; i < 2; ++i) teller.tell("c");
  teller.tell("");
  pass_graces();
  world.own("other");
  world.add_container("c", "other");
  world.release("other");
  world.collect();
  wire::SyncRequest gone = teller.frame("");
  teller.tell(gone);
  teller.tell("");
  EXPECT_EQ(world.containers(), "");
  teller.tell("c");
  EXPECT_EQ(world.containers(), "") << "the first bearer's row is not remembered any more";
}

// Names and lists.

TEST_P(Guards, AHandleUnderTwoRootsIsNeitherMissingNorGoneNorDestroyed) {
  world.enroll("w1");
  Teller teller(world);
  world.add_container("kept", "build");
  world.add_container("unwanted", "");
  teller.tell("kept unwanted");
  const auto ambiguous = [&] {
    wire::SyncRequest request = teller.frame("");
    request.malformed = {{kContainer, "kept"}, {kContainer, "unwanted"}};
    return request;
  };
  teller.tell(ambiguous());
  world.collect();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(joined(teller.tell(ambiguous()).destroy.containers), "");
  pass_graces();
  EXPECT_EQ(world.containers(), "kept:created unwanted:destroying");
  EXPECT_EQ(joined(teller.tell("kept unwanted").destroy.containers), "unwanted") << "once it is under one root";
}

TEST_P(Guards, AKindThatIsNotListedSaysWhyAndOnce) {
  world.enroll("w1");
  Teller teller(world);
  const auto without_volumes = [&] {
    wire::SyncRequest request = teller.frame("");
    request.inventories.volumes.reset();
    request.unlisted = {{kVolume, "/srv/v is not mounted"}};
    return request;
  };
  for (int i = 0; i < 3; ++i) teller.tell(without_volumes());
  EXPECT_EQ(events("unlisted"), 1);
  ASSERT_EQ(worker().unlisted.size(), 1U);
  EXPECT_EQ(worker().unlisted[0].error, "/srv/v is not mounted");
  teller.tell("");
  EXPECT_EQ(events("listed"), 1);
  EXPECT_TRUE(worker().unlisted.empty());
}

TEST_P(Guards, NothingIsAcceptedThatIsNotHeld) {
  world.enroll("w1");
  const auto refusal = [&](Accept what, std::optional<Existing> strangers = std::nullopt) {
    const auto accepted = fleet::accept_worker(world.context(), WorkerName("w1"), what, strangers);
    return accepted.ok() ? Error::Kind::kUnavailable : accepted.error().kind;
  };
  EXPECT_EQ(refusal(Accept::kBrake), Error::Kind::kConflict);
  EXPECT_EQ(refusal(Accept::kIncarnation), Error::Kind::kConflict);
  EXPECT_EQ(refusal(Accept::kSession), Error::Kind::kConflict);
  EXPECT_EQ(refusal(Accept::kExisting), Error::Kind::kInvalid) << "adopt or destroy has to be said";
}

ON_BOTH_ENGINES(Guards);
ON_BOTH_ENGINES(Amnesia);

}  // namespace
}  // namespace reclaim::test
