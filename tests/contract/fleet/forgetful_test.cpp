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

// Put back from a copy: nobody proves anything, and everybody may have been given things since.
class PutBack : public FleetTest {
 protected:
  void SetUp() override {
    world.policy().unknown_grace = 60s;
    for (const char* worker : {"w1", "w2"}) world.enroll(worker);
    for (Teller* teller : {&first, &second}) teller->tell("");
    world.add_container("reused", "", "w1");
    world.collect();
    ASSERT_EQ(world.containers("w1"), "reused:destroying") << "marked in the copy, another's by now";
    begun = must(fleet::restore_lineage(world.context(), "l2"));
  }
  std::string orders_after(Teller& teller, const std::string& containers) {
    wire::SyncRequest anew = teller.frame(containers);
    anew.as_of = 0;
    anew.answered = wire::Answered{"l1", anew.session, 40};
    EXPECT_EQ(joined(teller.tell(anew).destroy.containers), "");
    world.advance(61s);
    world.collect();
    wire::SyncRequest next = teller.frame(containers);
    next.answered = wire::Answered{"l2", next.session, next.sequence - 1};
    return joined(teller.tell(next).destroy.containers);
  }

  Teller first{world, "w1"};
  Teller second{world, "w2"};
  fleet::Lineage begun;
};

TEST_P(PutBack, ADatabaseBeginsALineageThatNamesTheFormer) {
  EXPECT_EQ(begun.id, "l2");
  EXPECT_EQ(joined(begun.replaces), "l1");
}

TEST_P(PutBack, ADatabaseDestroysNothingThatItHasNotHeardOf) {
  EXPECT_EQ(orders_after(first, "late reused"), "");
  EXPECT_EQ(orders_after(second, "later"), "");
  EXPECT_EQ(world.containers("w1"), "late:created reused:created");
  EXPECT_EQ(world.containers("w2"), "later:created");
  EXPECT_EQ(world.unaccounted(), 0);
}

TEST_P(PutBack, ADatabaseMayBePutBackAgain) {
  EXPECT_EQ(must(fleet::read_lineage(world.context())).id, "l2");
  EXPECT_EQ(joined(must(fleet::restore_lineage(world.context(), "l3")).replaces), "l2 l1");
}

ON_BOTH_ENGINES(PutBack);

}  // namespace
}  // namespace reclaim::test
