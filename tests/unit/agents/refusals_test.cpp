#include "agents/refusals.hpp"

#include <gtest/gtest.h>

#include "adapters/objects_memory/memory_store.hpp"
#include "agents/agent.hpp"
#include "agents/membership.hpp"
#include "sim/fleet_world.hpp"

namespace reclaim::agents {
namespace {

using sim::must;

using Names = std::vector<ports::ObjectName>;

const ports::ObjectName kA{"segment", "1-1"};
const ports::ObjectName kB{"segment", "1-2"};
const ports::ObjectName kQueue{"queue", "V1.t"};

class LateWritesOfAnAgent : public testing::Test {
 protected:
  LateWritesOfAnAgent() {
    for (const ports::ObjectName& name : {kA, kB, kQueue}) must(store_.create(name, "as it was seen"));
  }

  // Somebody else came first.
  void be_refused(const ports::ObjectName& name) {
    const ports::Object now = must(store_.read(name));
    must(store_.replace(name, now.version, "somebody else's"));
    EXPECT_EQ(mine_.replace(name, now.version, "mine").error().kind, Error::Kind::kConflict);
  }
  void write(const ports::ObjectName& name) { must(mine_.replace(name, must(mine_.read(name)).version, "mine")); }
  // As a collector does it.
  void collect() {
    for (const ports::ObjectName& name : {agent_->id().beat(), agent_->id().object()}) {
      must(store_.remove(name, must(store_.read(name)).version));
    }
  }

  objects_memory::MemoryStore store_;
  std::unique_ptr<Agent> agent_ = must(Agent::register_as(store_, "drive-1", "drive"));
  NotingStore mine_{store_, agent_->heart().refusals()};
};

TEST_F(LateWritesOfAnAgent, AreWhatItWasRefusedSinceItWasCollected) {
  collect();
  be_refused(kA);
  be_refused(kB);
  be_refused(kQueue);
  EXPECT_EQ(agent_->heart().late(), LateWrites()) << "it does not know yet";
  EXPECT_EQ(agent_->heart().beat().error().kind, Error::Kind::kFenced);
  EXPECT_EQ(agent_->heart().late(), (LateWrites{{"agent", 1}, {"queue", 1}, {"segment", 2}}));
}

TEST_F(LateWritesOfAnAgent, AreNoConflictsOfBeforeItsLastBeat) {
  be_refused(kA);
  must(agent_->heart().beat());
  be_refused(kB);
  collect();
  EXPECT_FALSE(agent_->heart().beat().ok());
  EXPECT_EQ(agent_->heart().late(), (LateWrites{{"agent", 1}, {"segment", 1}})) << "of the second it cannot be said";
}

TEST_F(LateWritesOfAnAgent, AreNoConflictsOfBeforeItsListWasAccepted) {
  be_refused(kA);
  must(agent_->own(Names{kB}));
  collect();
  EXPECT_FALSE(agent_->own(Names{kB}).ok());
  EXPECT_EQ(agent_->heart().late(), (LateWrites{{"agent", 1}}));
}

TEST_F(LateWritesOfAnAgent, AreNoConflictsThatItTriedAgain) {
  be_refused(kQueue);
  write(kQueue);
  be_refused(kA);
  mine_.remove(kA, must(mine_.read(kA)).version).value();
  collect();
  EXPECT_FALSE(agent_->own(Names{}).ok());
  EXPECT_EQ(agent_->heart().late(), (LateWrites{{"agent", 1}}));
}

TEST_F(LateWritesOfAnAgent, AreNoneAsLongAsItLives) {
  be_refused(kA);
  must(agent_->heart().beat());
  EXPECT_EQ(agent_->heart().late(), LateWrites());
}

TEST_F(LateWritesOfAnAgent, AreNoneOfOneThatGaveItselfUpOrLeft) {
  be_refused(kA);
  agent_->heart().fence();
  collect();
  EXPECT_FALSE(agent_->heart().beat().ok());
  EXPECT_EQ(agent_->heart().late(), LateWrites());
  const auto other = must(Agent::register_as(store_, "drive-2", "drive"));
  must(other->leave());
  EXPECT_FALSE(other->heart().beat().ok());
  EXPECT_EQ(other->heart().late(), LateWrites());
}

TEST_F(LateWritesOfAnAgent, AreCalledAsWhoeverMetThemKnowsBetter) {
  be_refused(kQueue);
  agent_->heart().refusals().refused(kQueue, "reservation");
  be_refused(agent_->id().object());
  EXPECT_EQ(agent_->heart().refusals().left(), (LateWrites{{"reservation", 1}, {"takeover", 1}}));
}

TEST_F(LateWritesOfAnAgent, AreToldOnceByWhoeverRegistersItAnew) {
  Membership membership(store_, "desk", "desk");
  EXPECT_EQ(must(membership.join()).late, LateWrites());
  agent_ = nullptr;
  for (const char* kind : {"beat", "agent"}) {
    const ports::ObjectName name{kind, "desk@2"};
    must(store_.remove(name, must(store_.read(name)).version));
  }
  EXPECT_FALSE(membership.beat().ok());
  EXPECT_EQ(must(membership.join()).late, (LateWrites{{"agent", 1}}));
  EXPECT_EQ(must(membership.join()).late, LateWrites());
}

}  // namespace
}  // namespace reclaim::agents
