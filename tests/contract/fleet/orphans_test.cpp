#include "contract/fleet/engines.hpp"

namespace reclaim::test {
namespace {

using sim::FleetWorld;
using namespace std::chrono_literals;

class Orphans : public FleetTest {
 protected:
  void SetUp() override {
    world.enroll("w1");
    world.own("build");
  }
};

TEST_P(Orphans, AContainerLivesAsLongAsItsOwner) {
  world.add_container("c", "build");
  world.collect();
  EXPECT_EQ(world.containers(), "c:created");
  world.release("build");
  world.collect();
  EXPECT_EQ(world.containers(), "c:destroying");
}

TEST_P(Orphans, NobodysContainerIsAnOrphanFromTheStart) {
  world.add_container("c", "");
  world.collect();
  EXPECT_EQ(world.containers(), "c:destroying");
}

TEST_P(Orphans, AReleaseMayKeepForAWhile) {
  world.add_container("c", "build");
  world.release("build", 60s);
  world.advance(59s);
  world.collect();
  EXPECT_EQ(world.containers(), "c:created");
  world.advance(1s);
  world.collect();
  EXPECT_EQ(world.containers(), "c:destroying");
}

TEST_P(Orphans, ALeaseThatRunsOutEndsItsOwner) {
  world.own("session", 60s);
  world.add_container("c", "session");
  world.advance(59s);
  world.own("session", 60s);
  world.advance(59s);
  world.collect();
  EXPECT_EQ(world.containers(), "c:created");
  world.advance(1s);
  world.collect();
  EXPECT_EQ(world.containers(), "c:destroying");
  EXPECT_EQ(fleet::put_owner(world.context(), {.id = OwnerId("session"), .kind = "build"}).error().kind, Error::Kind::kConflict);
}

TEST_P(Orphans, NothingExpiresWhileClocksAreNotTrusted) {
  world.own("session", 60s);
  world.add_container("c", "session");
  world.advance(10min);
  world.distrust_clocks();
  world.collect();
  EXPECT_EQ(world.containers(), "c:created") << "after a gap in serving, no clock that began before it has run out";
}

TEST_P(Orphans, ATouchAndAPinKeep) {
  world.add_container("touched", "build");
  world.add_container("pinned", "build");
  world.release("build");
  sim::must(fleet::touch_resource(world.context(), FleetWorld::container("touched")));
  sim::must(fleet::pin_resource(world.context(), FleetWorld::container("pinned"), "debugging", std::nullopt));
  world.advance(299s);
  world.collect();
  EXPECT_EQ(world.containers(), "pinned:created touched:created");
  world.advance(1s);
  world.collect();
  EXPECT_EQ(world.containers(), "pinned:created touched:destroying");
  sim::must(fleet::unpin_resource(world.context(), FleetWorld::container("pinned")));
  world.collect();
  EXPECT_EQ(world.containers(), "pinned:destroying touched:destroying");
}

TEST_P(Orphans, APinMayRunOut) {
  world.add_container("c", "");
  sim::must(fleet::pin_resource(world.context(), FleetWorld::container("c"), "until lunch", 60s));
  world.collect();
  EXPECT_EQ(world.containers(), "c:created");
  world.advance(60s);
  world.collect();
  EXPECT_EQ(world.containers(), "c:destroying");
}

TEST_P(Orphans, AVolumeStaysWhileItsContainerDoes) {
  world.own("other");
  world.add_container("c", "other");
  world.add_volume("v", {.container = "c"});
  world.add_volume("owned", {.owner = "build", .container = "c"});
  world.release("build");
  world.collect();
  EXPECT_EQ(world.volumes(), "owned:created v:created");
  world.release("other");
  world.collect();
  EXPECT_EQ(world.containers(), "c:destroying");
  EXPECT_EQ(world.volumes(), "owned:destroying v:destroying");
}

TEST_P(Orphans, ATreeIsMarkedLevelByLevelInOneRun) {
  world.add_volume("root", {.owner = "build"});
  world.add_volume("middle", {.owner = "build", .parent = "root"});
  world.add_volume("leaf", {.owner = "build", .parent = "middle"});
  world.release("build");
  world.run("mark-orphans");
  EXPECT_EQ(world.volumes(), "leaf:destroying middle:destroying root:destroying");
}

TEST_P(Orphans, ALiveChildKeepsItsParents) {
  world.own("reader");
  world.add_volume("root", {.owner = "build"});
  world.add_volume("middle", {.owner = "build", .parent = "root"});
  world.add_volume("leaf", {.owner = "reader", .parent = "middle"});
  world.release("build");
  world.collect();
  EXPECT_EQ(world.volumes(), "leaf:created middle:created root:created");
}

TEST_P(Orphans, AnotherOwnerSavesIt) {
  world.own("heir");
  world.add_container("c", "build");
  sim::must(fleet::own_resource(world.context(), FleetWorld::container("c"), OwnerId("heir")));
  world.release("build");
  world.collect();
  EXPECT_EQ(world.containers(), "c:created");
}

TEST_P(Orphans, MoreThanOneSliceIsMarkedInOneRun) {
  for (int i = 0; i < 2500; ++i) {
    fleet::ResourceSpec spec{.name = FleetWorld::container("c" + std::to_string(i)), .owner = OwnerId("build")};
    sim::must(fleet::register_resource(world.context(), spec));
    sim::must(fleet::resource_created(world.context(), spec.name));
  }
  world.release("build");
  EXPECT_EQ(world.run("mark-orphans").changed, 2500);
  EXPECT_EQ(world.run("mark-orphans").changed, 0);
}

TEST_P(Orphans, AFailedCreateIsDestroyedNotForgotten) {
  sim::must(fleet::register_resource(world.context(), {.name = FleetWorld::container("c"), .owner = OwnerId("build")}));
  sim::must(fleet::resource_failed(world.context(), FleetWorld::container("c")));
  world.collect();
  EXPECT_EQ(world.containers(), "c:destroying");
}

TEST_P(Orphans, ACreateThatNeverEndsFails) {
  sim::must(fleet::register_resource(world.context(), {.name = FleetWorld::container("c"), .owner = OwnerId("build")}));
  world.release("build");
  world.advance(59min);
  world.collect();
  EXPECT_EQ(world.containers(), "c:creating") << "creating is never an orphan, and not overdue yet";
  world.advance(1min);
  world.collect();
  EXPECT_EQ(world.containers(), "c:destroying");
}

TEST_P(Orphans, AClaimThatMovedOnIsRefused) {
  world.add_container("c", "");
  const fleet::Claim stale = world.claim();
  world.take_claim();
  const auto report = fleet::mark_orphans(world.context("pass:mark-orphans"), stale);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().kind, Error::Kind::kFenced);
  EXPECT_EQ(world.containers(), "c:created");
}

TEST_P(Orphans, RowsOfAStalledWorkerAreFrozen) {
  sim::Teller teller(world);
  teller.tell("");
  world.add_container("c", "");
  world.advance(world.policy().worker_expiry);
  world.run("mark-orphans");
  EXPECT_EQ(world.containers(), "c:created") << "past its expiry, whether or not the lifecycle pass has been by";
}

ON_BOTH_ENGINES(Orphans);

}  // namespace
}  // namespace reclaim::test
