#include "fleet/explain.hpp"
#include "contract/fleet/engines.hpp"

namespace reclaim::test {
namespace {

using fleet::Explanation;
using sim::FleetWorld;
using sim::joined;
using sim::must;
using namespace std::chrono_literals;

class Explain : public FleetTest {
 protected:
  void SetUp() override {
    world.enroll("w1");
    world.own("build");
  }
  Explanation of(const fleet::ResourceName& name) { return must(fleet::explain(world.context(), name)); }
};

TEST_P(Explain, WhatIsOwnedIsKept) {
  world.add_container("c", "build");
  const Explanation why = of(FleetWorld::container("c"));
  EXPECT_EQ(why.verdict, "kept");
  EXPECT_EQ(joined(why.because), "its owner build is live");
}

TEST_P(Explain, AnOrphanWillBeMarkedAndThenIs) {
  world.add_container("c", "build");
  world.release("build");
  EXPECT_EQ(of(FleetWorld::container("c")).verdict, "will_be_marked");
  world.collect();
  EXPECT_EQ(of(FleetWorld::container("c")).verdict, "destroying");
}

TEST_P(Explain, ATouchSaysWhenItEnds) {
  world.add_container("c", "");
  must(fleet::touch_resource(world.context(), FleetWorld::container("c")));
  const Explanation why = of(FleetWorld::container("c"));
  EXPECT_EQ(why.verdict, "kept");
  EXPECT_EQ(why.earliest, world.context().moment.wall + world.policy().touch_grace);
}

TEST_P(Explain, AVolumeWaitsForItsContainerAndItsChildren) {
  world.own("other");
  world.add_container("c", "other");
  world.add_volume("v", {.owner = "build", .container = "c"});
  world.add_volume("child", {.owner = "other", .parent = "v"});
  world.release("build");
  const Explanation why = of(FleetWorld::volume("v"));
  EXPECT_EQ(why.verdict, "waiting");
  EXPECT_EQ(joined(why.blocked_by), "container c volume child");
}

TEST_P(Explain, WhatIsDestroyingNamesWhatHangsOnIt) {
  world.add_container("c", "build");
  world.add_volume("v2", {.container = "c"});
  world.add_volume("v1", {.container = "c"});
  world.release("build");
  world.collect();
  EXPECT_EQ(joined(of(FleetWorld::container("c")).blocked_by), "volume v1 volume v2");
}

TEST_P(Explain, ACreateSaysWhenItIsOverdue) {
  must(fleet::register_resource(world.context(), {.name = FleetWorld::container("c"), .owner = OwnerId("build")}));
  const Explanation why = of(FleetWorld::container("c"));
  EXPECT_EQ(why.verdict, "kept");
  EXPECT_EQ(why.earliest, world.context().moment.wall + world.policy().creating_timeout);
}

TEST_P(Explain, AStrangerIsUnknownAndSaysWhenItGoes) {
  sim::Teller teller(world);
  teller.tell("");
  teller.tell("s");
  const Explanation why = of(FleetWorld::container("s"));
  EXPECT_EQ(why.verdict, "unknown");
  EXPECT_EQ(why.earliest, world.context().moment.wall + world.policy().unknown_grace);
}

TEST_P(Explain, RowsOfAStalledWorkerAreFrozenAndItSaysSo) {
  sim::Teller teller(world);
  teller.tell("");
  world.add_container("c", "");
  world.advance(world.policy().worker_expiry);
  EXPECT_EQ(joined(of(FleetWorld::container("c")).blocked_by), "worker w1 is stalled: its rows are frozen");
}

ON_BOTH_ENGINES(Explain);

}  // namespace
}  // namespace reclaim::test
