// What was lost and comes back.
#include "contract/fleet/guards.hpp"

namespace reclaim::test {
namespace {

using sim::FleetWorld;
using sim::joined;
using sim::must;
using sim::Teller;
using namespace std::chrono_literals;

class Comebacks : public Guarded {};

TEST_P(Comebacks, AHandleThatComesBackHasItsRowAgainIfItsOwnerLives) {
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

TEST_P(Comebacks, AHandleThatComesBackAfterItsOwnerIsUnknown) {
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

TEST_P(Comebacks, LostRowsAreRememberedForAWhileOnly) {
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

TEST_P(Comebacks, ANewBearerOfALostHandleIsNotMistakenForIt) {
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

ON_BOTH_ENGINES(Comebacks);

}  // namespace
}  // namespace reclaim::test
