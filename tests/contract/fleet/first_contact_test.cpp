// What a machine already has when it is enrolled is nobody's to destroy until somebody says so.
#include "contract/fleet/guards.hpp"

namespace reclaim::test {
namespace {

using fleet::Accept;
using fleet::Existing;
using sim::joined;
using sim::must;
using sim::Teller;
using namespace std::chrono_literals;

class FirstContact : public Guarded {};

TEST_P(FirstContact, WhatAMachineAlreadyHasIsHeldUntilTheOperatorDecides) {
  world.enroll("w1", Existing::kHold);
  Teller teller(world);
  for (int i = 0; i < 3; ++i) teller.tell("old1 old2", "disk");
  pass_graces();
  EXPECT_EQ(joined(teller.tell("old1 old2", "disk").destroy.containers), "");
  EXPECT_EQ(worker().held, 3);
  EXPECT_EQ(holds(), "existing");
  EXPECT_EQ(world.containers(), "");
}

TEST_P(FirstContact, HeldThingsThatAreAdoptedLiveUntilTheirOwnerIsReleased) {
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

TEST_P(FirstContact, HeldThingsThatAreToGoAreUnknownAndKeepTheirGrace) {
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

TEST_P(FirstContact, AMachineEnrolledToBeAdoptedIsAdoptedAtFirstContactOnly) {
  world.enroll("w1", Existing::kAdopt);
  Teller teller(world);
  teller.tell("old", "disk");
  EXPECT_EQ(world.containers() + " " + world.volumes(), "old:created disk:created");
  teller.tell("old", "disk");
  teller.tell("old later", "disk");
  EXPECT_EQ(worker().unknown, 1) << "what comes later is unknown like anything else";
  EXPECT_EQ(world.unaccounted(), 0);
}

TEST_P(FirstContact, AMachineEnrolledToBeEmptiedIsEmptiedWithoutABrake) {
  world.enroll("w1", Existing::kDestroy);
  Teller teller(world);
  teller.tell(handles(100));
  teller.tell(handles(100));
  EXPECT_EQ(worker().braked, "");
  pass_graces();
  EXPECT_EQ(teller.tell(handles(100)).destroy.containers.size(), 100U);
}

TEST_P(FirstContact, AnAnswerBeforeFirstContactDecidesIt) {
  world.enroll("w1", Existing::kHold);
  accept(Accept::kExisting, Existing::kAdopt);
  Teller teller(world);
  teller.tell("old");
  EXPECT_EQ(world.containers(), "old:created");
}

TEST_P(FirstContact, NothingIsAcceptedThatIsNotHeld) {
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

ON_BOTH_ENGINES(FirstContact);

}  // namespace
}  // namespace reclaim::test
