// Amnesia: a database that forgot. What a worker heard from a control plane that then forgets is made up here by quoting it.
#include "contract/fleet/guards.hpp"
#include "fleet/lineage.hpp"

namespace reclaim::test {
namespace {

using fleet::Existing;
using sim::joined;
using sim::must;
using sim::Teller;

wire::SyncRequest quoting(wire::SyncRequest request, const std::string& lineage, const std::string& session, std::int64_t sequence) {
  request.answered = wire::Answered{lineage, session, sequence};
  return request;
}

class Amnesia : public Guarded {
 protected:
  void SetUp() override {
    Guarded::SetUp();
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

// The copy was taken while it was in the making; it was confirmed afterwards, and that is forgotten.
TEST_P(Amnesia, AnAcceptedLossLetsNoDeadlineEndWhatWasInTheMaking) {
  world.policy().creating_timeout = std::chrono::seconds(60);
  must(fleet::register_resource(world.context(), {.name = sim::FleetWorld::container("made"), .owner = OwnerId("build")}));
  (void)teller.send(remembering(5, "c0 c1 made"));
  must(fleet::accept_lineage(world.context(), "l2", Existing::kAdopt));
  const wire::SyncAnswer answer = teller.tell(begun_anew(remembering(5, "c0 c1 made")));
  pass_graces();
  const wire::SyncRequest next = quoting(teller.frame("c0 c1 made"), "l2", heard.session, answer.sequence);
  EXPECT_EQ(joined(teller.tell(next).destroy.containers), "");
  EXPECT_EQ(world.containers(), "c0:created c1:created made:created");
  world.release("build");
  world.collect();
  EXPECT_EQ(world.containers(), "c0:destroying c1:destroying made:destroying") << "its owner decides";
}

// A failed create was about to be marked in the copy; its handle is another's by now.
TEST_P(Amnesia, AnAcceptedLossForgetsFailedCreatesToo) {
  must(fleet::register_resource(world.context(), {.name = sim::FleetWorld::container("reused"), .owner = OwnerId("build")}));
  must(fleet::resource_failed(world.context(), sim::FleetWorld::container("reused")));
  (void)teller.send(remembering(5, "c0 c1 reused"));
  must(fleet::accept_lineage(world.context(), "l2", Existing::kAdopt));
  const wire::SyncAnswer answer = teller.tell(begun_anew(remembering(5, "c0 c1 reused")));
  pass_graces();
  const wire::SyncRequest next = quoting(teller.frame("c0 c1 reused"), "l2", heard.session, answer.sequence);
  EXPECT_EQ(joined(teller.tell(next).destroy.containers), "");
  EXPECT_EQ(world.containers(), "c0:created c1:created reused:created");
}

// An order given before the loss is carried out under a row that says nothing of it. The handle is not free before it is over.
TEST_P(Amnesia, ARowIsNotLostWhileAnOrderFromBeforeTheLossIsInHand) {
  (void)teller.send(remembering(5));
  must(fleet::accept_lineage(world.context(), "l2", Existing::kAdopt));
  wire::SyncRequest holding = begun_anew(remembering(5));
  holding.in_hand.containers = {"c0"};
  const wire::SyncAnswer answer = teller.tell(holding);
  wire::SyncRequest stuck = quoting(teller.frame("c1"), "l2", heard.session, answer.sequence);
  stuck.in_hand.containers = {"c0"};
  teller.tell(stuck);
  pass_graces();
  EXPECT_EQ(world.containers(), "c0:created,missing c1:created");
  teller.tell(quoting(teller.frame("c1"), "l2", heard.session, answer.sequence));
  world.collect();
  EXPECT_EQ(world.containers(), "c1:created");
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

ON_BOTH_ENGINES(Amnesia);

}  // namespace
}  // namespace reclaim::test
