// What hangs on what outlives rows that are lost, or forgotten after a restore, and come back.
#include "contract/fleet/guards.hpp"
#include "fleet/lineage.hpp"

namespace reclaim::test {
namespace {

using sim::FleetWorld;
using sim::joined;
using sim::must;
using sim::Teller;

class Links : public Guarded {
 protected:
  void SetUp() override {
    Guarded::SetUp();
    world.enroll("w1");
    world.own("other");
  }
  void show(std::string_view containers, std::string_view volumes) {
    for (int i = 0; i < 2; ++i) teller.tell(containers, volumes);
  }
  void show_parent_and_child(const std::string& owner_of_parent, const std::string& owner_of_child) {
    world.add_volume("p", {.owner = owner_of_parent});
    world.add_volume("child", {.owner = owner_of_child, .parent = "p"});
    show("", "p child");
  }
  std::string ordered_volumes(std::string_view volumes) { return joined(teller.tell("", volumes).destroy.volumes); }
  // As a worker does whose control plane was restored.
  void begin_anew(std::string_view volumes) {
    must(fleet::restore_lineage(world.context(), "l2"));
    wire::SyncRequest request = teller.frame("", volumes);
    request.as_of = 0;
    teller.tell(request);
  }
  Teller teller{world};
};

TEST_P(Links, AContainerThatComesBackHasItsVolumesThatStayed) {
  world.add_container("c", "build");
  world.add_volume("v", {.owner = "other", .container = "c"});
  show("c", "v");
  teller.tell("", "v");
  pass_graces();
  EXPECT_EQ(world.containers() + world.volumes(), "v:created");
  teller.tell("c", "v");
  world.release("other");
  world.collect();
  EXPECT_EQ(world.containers() + " " + world.volumes(), "c:created v:created") << "a container that lives has what it runs on";
  world.release("build");
  world.collect();
  EXPECT_EQ(world.containers() + " " + world.volumes(), "c:destroying v:destroying");
  EXPECT_EQ(world.unaccounted(), 0);
}

TEST_P(Links, AParentThatComesBackIsKeptForItsChildThatStayed) {
  show_parent_and_child("other", "build");
  teller.tell("", "child");
  pass_graces();
  world.release("other");
  world.collect();
  EXPECT_EQ(world.volumes(), "child:created");
  teller.tell("", "p child");
  pass_graces();
  EXPECT_EQ(ordered_volumes("p child"), "") << "a volume that lives has what it was made from";
  EXPECT_EQ(world.volumes(), "child:created p:created");
  world.release("build");
  for (int i = 0; i < 2; ++i) world.collect();
  EXPECT_EQ(ordered_volumes("p child"), "child");
  EXPECT_EQ(world.unaccounted(), 0);
}

TEST_P(Links, AParentThatCameBackUnknownIsKeptWhenItsChildComesToo) {
  world.add_volume("root", {.owner = "other"});
  world.add_volume("p", {.owner = "other", .parent = "root"});
  world.add_volume("child", {.owner = "build", .parent = "p"});
  show("", "root p child");
  teller.tell("", "");
  pass_graces();
  world.release("other");
  world.collect();
  teller.tell("", "root p");
  EXPECT_EQ(world.volumes(), "");
  teller.tell("", "root p child");
  EXPECT_EQ(world.volumes(), "child:created p:created root:created");
  pass_graces();
  EXPECT_EQ(ordered_volumes("root p child"), "");
  EXPECT_EQ(worker().unknown, 0);
  EXPECT_EQ(world.unaccounted(), 0);
}

TEST_P(Links, AChildThatComesBackHoldsItsParentOnItsWayOut) {
  show_parent_and_child("other", "build");
  teller.tell("", "p");
  pass_graces();
  world.release("other");
  world.collect();
  EXPECT_EQ(world.volumes(), "p:destroying");
  EXPECT_EQ(ordered_volumes("p child"), "");
  EXPECT_EQ(world.volumes(), "child:created p:destroying");
  world.release("build");
  world.collect();
  EXPECT_EQ(ordered_volumes("p child"), "child");
}

TEST_P(Links, WhatComesBackForItsPinGoesWithIt) {
  add_many(2);
  show("c0 c1", "");
  must(fleet::pin_resource(world.context(), FleetWorld::container("c0"), "a look", std::nullopt));
  show("c1", "");
  pass_graces();
  world.release("build");
  for (int i = 0; i < 2; ++i) world.collect();
  EXPECT_EQ(world.containers(), "c1:destroying") << "its owner has nothing left to mark, and no pass looks at it again";
  teller.tell("c0 c1", "");
  EXPECT_EQ(world.containers(), "c0:created c1:destroying");
  must(fleet::unpin_resource(world.context(), FleetWorld::container("c0")));
  world.collect();
  EXPECT_EQ(world.containers(), "c0:destroying c1:destroying");
}

TEST_P(Links, OfMarksThatARestoreForgetsHoldParentsStill) {
  show_parent_and_child("build", "other");
  world.release("other");
  world.collect();
  EXPECT_EQ(world.volumes(), "child:destroying p:created");
  begin_anew("p child");
  EXPECT_EQ(world.volumes(), "child:created p:created") << "adopted: what the copy had marked may have a new bearer";
  world.release("build");
  world.collect();
  EXPECT_EQ(world.volumes(), "child:created p:created");
}

TEST_P(Links, OnMarksThatARestoreForgetsAreKeptToo) {
  show_parent_and_child("build", "other");
  must(fleet::destroy_resource(world.context(), FleetWorld::volume("p")));
  begin_anew("p child");
  EXPECT_EQ(world.volumes(), "child:created p:created");
  must(fleet::destroy_resource(world.context(), FleetWorld::volume("p")));
  EXPECT_EQ(ordered_volumes("p child"), "") << "its child stands on it";
}

TEST_P(Links, OfTheLastBearerAreNotThoseOfTheNext) {
  world.add_container("c", "build");
  world.add_volume("v", {.owner = "other", .container = "c"});
  show("c", "v");
  teller.tell("", "v");
  pass_graces();
  world.add_container("c", "build");
  show("c", "v");
  world.release("other");
  world.collect();
  EXPECT_EQ(world.volumes(), "v:destroying");
}

ON_BOTH_ENGINES(Links);

}  // namespace
}  // namespace reclaim::test
