// A wiped or swapped disk, a start counter that went back, a reboot: what they are taken for, and what the operator accepts.
#include "contract/fleet/guards.hpp"

namespace reclaim::test {
namespace {

using fleet::Accept;
using sim::Teller;

class Incarnations : public Guarded {};

wire::SyncRequest wiped(Teller& teller, std::string_view containers = "", std::string_view volumes = "") {
  wire::SyncRequest request = teller.frame(containers, volumes);
  request.incarnation = "incarnation-after-the-wipe";
  request.session = "session-after-the-wipe";
  return request;
}

TEST_P(Incarnations, AWipedMachineIsHeldUntilTheOperatorAccepts) {
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

TEST_P(Incarnations, UnderANewIncarnationOnlyWhatIsAbsentIsLost) {
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

TEST_P(Incarnations, ACreateThatRacesTheNewIncarnationIsNotLost) {
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

TEST_P(Incarnations, ConsentGivenBeforehandTakesAnIncarnationOnce) {
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

TEST_P(Incarnations, TheStartCounterMayGoBackOnceIfTheOperatorSaysSo) {
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

TEST_P(Incarnations, ContainersOfAnEarlierBootAreGoneByEvidence) {
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

ON_BOTH_ENGINES(Incarnations);

}  // namespace
}  // namespace reclaim::test
