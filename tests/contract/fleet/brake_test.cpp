// The brake: an inventory that is suddenly empty or crowded is not believed.
#include "contract/fleet/guards.hpp"
#include "fleet/explain.hpp"

namespace reclaim::test {
namespace {

using fleet::Accept;
using sim::FleetWorld;
using sim::joined;
using sim::must;
using sim::Teller;

class Brake : public Guarded {
 protected:
  // Thirty containers that are known, and an inventory that has none of them.
  void show_thirty_and_then_none(Teller& teller) {
    add_many(30);
    teller.tell(handles(30));
    teller.tell(handles(30));
    teller.tell("");
  }
};

TEST_P(Brake, AnInventoryThatIsSuddenlyEmptyIsNotJudged) {
  world.enroll("w1");
  Teller teller(world);
  show_thirty_and_then_none(teller);
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

TEST_P(Brake, ALiftedBrakeLetsTheNextInventoryThrough) {
  world.enroll("w1");
  Teller teller(world);
  show_thirty_and_then_none(teller);
  accept(Accept::kBrake);
  teller.tell("");
  EXPECT_EQ(worker().missing, 30);
  EXPECT_EQ(worker().braked, "");
  pass_graces();
  EXPECT_EQ(world.containers(), "");
  EXPECT_EQ(world.unaccounted(), 0);
}

// An operator lifts the brake, the worker restarts, and the answer to its first sync is lost: its next one does not know a mark either.
TEST_P(Brake, ALiftedBrakeOutlivesALostAnswerAfterARestart) {
  world.enroll("w1");
  Teller teller(world);
  show_thirty_and_then_none(teller);
  accept(Accept::kBrake);
  Teller restarted(world, "w1", 2);
  must(restarted.send(restarted.frame("")));
  restarted.tell("");
  EXPECT_EQ(worker().braked, "30 of 30 containers would be missing") << "it covers nothing, and judges nothing";
  restarted.tell("");
  EXPECT_EQ(worker().braked, "");
  EXPECT_EQ(worker().missing, 30);
}

TEST_P(Brake, ALiftedBrakeWaitsForAnInventoryThatCoversSomething) {
  world.enroll("w1");
  Teller teller(world);
  show_thirty_and_then_none(teller);
  accept(Accept::kBrake);
  Teller restarted(world, "w1", 2);
  restarted.tell("");
  EXPECT_EQ(worker().braked, "30 of 30 containers would be missing") << "the first inventory of a session judges nothing";
  restarted.tell("");
  EXPECT_EQ(worker().missing, 30);
}

TEST_P(Brake, ACrowdOfStrangersIsNotJudged) {
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

TEST_P(Brake, TheBrakeOfOneKindStopsNoOther) {
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

TEST_P(Brake, ABrakeHoldsWhatWasMissingBeforeIt) {
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

TEST_P(Brake, FewAreNoCrowd) {
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

TEST_P(Brake, OfAWorkerWithoutAnyRowIsReleasedWhenTheStrangersAreGone) {
  world.enroll("w1");
  Teller teller(world);
  teller.tell("");
  teller.tell("");
  teller.tell(handles(21));
  teller.tell(handles(21));
  EXPECT_EQ(worker().braked, "21 containers that nobody knows, beside 0 that are known");
  teller.tell("");
  teller.tell("");
  teller.tell("");
  EXPECT_EQ(worker().braked, "") << "later inventories disagree";
}

ON_BOTH_ENGINES(Brake);

}  // namespace
}  // namespace reclaim::test
