// A database that has forgotten what it gave to workers that cannot prove it: they had not synced since.
#include "contract/fleet/engines.hpp"
#include "fleet/lineage.hpp"

namespace reclaim::test {
namespace {

using fleet::Existing;
using sim::joined;
using sim::must;
using sim::Teller;
using namespace std::chrono_literals;

// w1 was answered by more than the database remembers. w2 was not, and has `late`, whose row was lost with the rest.
class Forgetful : public FleetTest {
 protected:
  void SetUp() override {
    world.policy().unknown_grace = 60s;
    for (const char* worker : {"w1", "w2"}) world.enroll(worker);
    proof.tell("");
    silent.tell("");
    silent.tell("");
    wire::SyncRequest request = proof.frame("");
    request.answered = wire::Answered{"l1", request.session, 50};
    ASSERT_FALSE(proof.send(request).ok());
    silent.tell("late");
    pass_the_grace();
  }
  void pass_the_grace() {
    world.advance(61s);
    world.collect();
  }
  std::string orders() { return joined(silent.tell("late").destroy.containers); }
  void accept(Existing unknown) {
    must(fleet::accept_lineage(world.context(), "l2", unknown));
    wire::SyncRequest anew = silent.frame("late");
    anew.as_of = 0;
    silent.tell(anew);
    pass_the_grace();
  }

  Teller proof{world, "w1"};
  Teller silent{world, "w2"};
};

TEST_P(Forgetful, WhatIsUnknownOnAnyWorkerWaitsForTheOperator) {
  EXPECT_EQ(orders(), "");
  EXPECT_EQ(world.containers("w2"), "");
}

TEST_P(Forgetful, WhatIsUnknownOnAnyWorkerIsAdoptedWithTheRest) {
  accept(Existing::kAdopt);
  EXPECT_EQ(world.containers("w2"), "late:created");
  EXPECT_EQ(orders(), "");
  EXPECT_EQ(world.unaccounted(), 0);
}

TEST_P(Forgetful, WhatIsUnknownOnAnyWorkerGoesAfterItsGraceIfTheOperatorSaysSo) {
  accept(Existing::kDestroy);
  EXPECT_EQ(orders(), "late");
}

ON_BOTH_ENGINES(Forgetful);

}  // namespace
}  // namespace reclaim::test
