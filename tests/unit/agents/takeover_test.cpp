#include "agents/takeover.hpp"

#include <gtest/gtest.h>

#include "adapters/objects_memory/memory_store.hpp"
#include "agents/census.hpp"
#include "sim/counting_store.hpp"
#include "unit/agents/pool.hpp"

namespace reclaim::test {
namespace {

using agents::Agent;
using sim::must;

using Names = std::vector<ports::ObjectName>;

class Takeovers : public testing::Test {
 protected:
  std::unique_ptr<Agent> registered(const std::string& name) { return must(Agent::register_as(store_, name, "drive")); }

  // Things that the agent made, as it should.
  void make(Agent& agent, const std::vector<std::string>& keys) {
    Names names;
    names.reserve(keys.size());
    for (const std::string& key : keys) names.push_back(thing_name(key));
    must(agent.own(names));
    for (const ports::ObjectName& name : names) must(store_.create(name, Thing{.owner = agent.id().str()}.bytes()));
  }
  // Passes until this one has nothing more to collect.
  agents::TakeoverReport collect_with(Collector& collector, int passes = 5) {
    agents::TakeoverReport sum;
    for (int i = 0; i < passes; ++i) {
      const agents::TakeoverReport report = must(collector.pass(now_));
      sum.taken += report.taken;
      sum.collected += report.collected;
      sum.settled += report.settled;
      sum.leftovers += report.leftovers;
      sum.problems.insert(sum.problems.end(), report.problems.begin(), report.problems.end());
    }
    return sum;
  }
  bool exists(const ports::ObjectName& name) { return store_.read(name).ok(); }
  Thing thing(const std::string& key) { return find_thing(store_, key).value_or(Thing{.owner = "nobody"}); }

  objects_memory::MemoryStore store_;
  Instant now_;
};

TEST_F(Takeovers, WhatASilentAgentOwnedIsReturnedAndItsRecordsGo) {
  const auto dead = registered("drive-1");
  make(*dead, {"a", "b"});
  Collector collector(store_, "m");
  const agents::TakeoverReport report = collect_with(collector);
  EXPECT_EQ(report.taken, 1U);
  EXPECT_EQ(report.collected, 1U);
  EXPECT_EQ(report.settled, 2U);
  EXPECT_TRUE(report.problems.empty());
  EXPECT_EQ(thing("a").owner, "pool");
  EXPECT_EQ(thing("b").owner, "pool");
  EXPECT_FALSE(exists(dead->id().object()));
  EXPECT_FALSE(exists(dead->id().beat()));
  EXPECT_TRUE(collector.agent->owned().empty());
  must(collector.agent->leave());
}

TEST_F(Takeovers, WhoBeatsIsLeftAlone) {
  const auto living = registered("drive-1");
  make(*living, {"a"});
  Collector collector(store_, "m");
  for (int i = 0; i < 10; ++i) {
    must(living->heart().beat());
    EXPECT_EQ(must(collector.pass(now_)).taken, 0U);
  }
  EXPECT_EQ(thing("a").owner, living->id().str());
  must(living->own({}));
}

TEST_F(Takeovers, WhoBeatsButDoesNotGetOnIsCollected) {
  const auto stuck = registered("drive-1");
  make(*stuck, {"a"});
  stuck->heart().progress(Collector::kTimeout * 2);
  Collector collector(store_, "m");
  int passes = 0;
  while (stuck->heart().beat().ok()) {
    must(collector.pass(now_));
    ASSERT_LT(++passes, 20);
  }
  EXPECT_GT(passes, 6) << "the limit is twice the timeout";
  EXPECT_EQ(thing("a").owner, "pool");
}

TEST_F(Takeovers, WhatIsRecordedButNotTakenIsRewrittenSoThatItCannotBeTakenAnyMore) {
  must(store_.create(thing_name("a"), Thing().bytes()));
  const auto paused = registered("drive-1");
  const ports::Version before = must(store_.read(thing_name("a"))).version;
  must(paused->own(Names{thing_name("a")}));
  Collector collector(store_, "m");
  collect_with(collector);
  const Result<ports::Version> taken = store_.replace(thing_name("a"), before, Thing{.owner = paused->id().str()}.bytes());
  EXPECT_EQ(taken.error().kind, Error::Kind::kConflict);
  EXPECT_EQ(thing("a").returned, 0) << "it was nobody's";
}

TEST_F(Takeovers, WhatIsRecordedButNotMadeIsRefusedAsLongAsItsOwnerExists) {
  const auto paused = registered("drive-1");
  make(*paused, {"b"});
  must(paused->own(Names{thing_name("a")}));
  Collector collector(store_, "m");
  bool was_reserved = false;
  for (int i = 0; i < 8 && exists(paused->id().object()); ++i) {
    must(collector.pass(now_, 1));  // one name in each pass: `a` is settled while `b` is still on the list
    if (thing("b").owner == "pool" || !exists(paused->id().object())) continue;
    if (!exists(thing_name("a"))) continue;
    was_reserved = true;
    EXPECT_EQ(store_.create(thing_name("a"), Thing{.owner = paused->id().str()}.bytes()).error().kind, Error::Kind::kConflict);
    collector.pool.sweep();
    EXPECT_TRUE(exists(thing_name("a"))) << "its owner exists";
  }
  EXPECT_TRUE(was_reserved);
}

TEST_F(Takeovers, WhatIsMadeAfterTheReservationHasGoneIsFoundByTheSweep) {
  const auto paused = registered("drive-1");
  must(paused->own(Names{thing_name("a")}));
  Collector collector(store_, "m");
  collect_with(collector);
  EXPECT_FALSE(exists(paused->id().object()));
  EXPECT_TRUE(thing("a").is_reserved);
  collector.pool.sweep();
  EXPECT_FALSE(exists(thing_name("a")));
  must(store_.create(thing_name("a"), Thing{.owner = paused->id().str()}.bytes()));
  collector.pool.sweep();
  EXPECT_EQ(thing("a").owner, "pool");
  EXPECT_EQ(paused->own({}).error().kind, Error::Kind::kFenced);
}

TEST_F(Takeovers, AnAgentThatBeatsBetweenTheLookAndTheTakingLives) {
  const auto slow = registered("drive-1");
  make(*slow, {"a"});
  // The agent beats just when the collector wants to remove its beat.
  struct BeatingStore : ports::ObjectStore {
    BeatingStore(ports::ObjectStore& the_store, Agent& the_agent) : inner(the_store), agent(the_agent) {}
    std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
      if (calls.front().op == ports::StoreCall::Op::kRemove && calls.front().name == agent.id().beat()) must(agent.heart().beat());
      return inner.run(calls);
    }
    Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
      return inner.list(kind, after, limit);
    }
    ports::ObjectStore& inner;
    Agent& agent;
  } beating(store_, *slow);
  Collector collector(beating, "m");
  const agents::TakeoverReport report = collect_with(collector, 4);
  EXPECT_EQ(report.taken, 0U);
  EXPECT_TRUE(collector.agent->owned().empty());
  must(slow->own({}));
  EXPECT_EQ(thing("a").owner, slow->id().str());
}

TEST_F(Takeovers, WhatADeadCollectorBeganIsFinishedByTheNext) {
  const auto dead = registered("drive-1");
  make(*dead, {"a", "b", "c"});
  {
    Collector first(store_, "m1");
    while (must(first.pass(now_, 1)).settled == 0) continue;
    EXPECT_TRUE(first.agent->owned().contains(dead->id().object()));
  }
  Collector second(store_, "m2");
  const agents::TakeoverReport report = collect_with(second, 8);
  EXPECT_EQ(report.collected, 2U);
  for (const char* key : {"a", "b", "c"}) {
    EXPECT_EQ(thing(key).owner, "pool");
    EXPECT_EQ(thing(key).returned, 1) << key;
  }
  EXPECT_EQ(must(agents::list_agents(store_)).size(), 1U);
  EXPECT_TRUE(second.agent->owned().empty());
}

TEST_F(Takeovers, ACollectorThatDiesBetweenRecordingAndTakingCannotTakeAnyMore) {
  const auto living = registered("drive-1");
  const auto paused = registered("m1");
  const ports::Object before = must(store_.read(living->id().object()));
  must(paused->own(Names{living->id().object()}));
  Collector other(store_, "m2");
  for (int i = 0; i < 6; ++i) {
    must(living->heart().beat());
    must(other.pass(now_));
  }
  EXPECT_FALSE(exists(paused->id().object()));
  EXPECT_EQ(store_.replace(living->id().object(), before.version, "taken").error().kind, Error::Kind::kConflict);
  must(living->own(Names{thing_name("a")}));
}

TEST_F(Takeovers, WhatALivingCollectorBeganIsLeftToIt) {
  const auto dead = registered("drive-1");
  make(*dead, {"a", "b", "c"});
  Collector first(store_, "m1");
  while (must(first.pass(now_, 1)).settled == 0) continue;
  Collector second(store_, "m2");
  for (int i = 0; i < 8; ++i) {
    must(first.agent->heart().beat());
    EXPECT_EQ(must(second.pass(now_)).taken, 0U);
  }
  EXPECT_EQ(must(first.pass(now_)).collected, 1U);
}

TEST_F(Takeovers, WhoseCollectorDoesNotExistIsCollectedByTheNext) {
  const auto dead = registered("drive-1");
  make(*dead, {"a"});
  const ports::Object object = must(store_.read(dead->id().object()));
  agents::stored::Agent record = must(agents::decode_agent(dead->id(), object.bytes));
  record.set_collector("agent/gone@77");
  must(store_.replace(dead->id().object(), object.version, agents::encode(dead->id(), record)));
  Collector collector(store_, "m");
  EXPECT_EQ(collect_with(collector).collected, 1U);
  EXPECT_EQ(thing("a").owner, "pool");
}

TEST_F(Takeovers, ABudgetEndsAPassAndTheNextGoesOn) {
  const auto dead = registered("drive-1");
  std::vector<std::string> keys;
  keys.reserve(200);
  for (int i = 0; i < 200; ++i) keys.push_back("t" + std::to_string(i));
  make(*dead, keys);
  Collector collector(store_, "m");
  agents::TakeoverReport report;
  while (report.settled == 0) report = must(collector.pass(now_, 150));
  EXPECT_EQ(report.settled, 150U);
  EXPECT_TRUE(report.more);
  report = must(collector.pass(now_, 150));
  EXPECT_EQ(report.settled, 50U);
  EXPECT_FALSE(report.more);
  EXPECT_EQ(report.collected, 1U);
}

TEST_F(Takeovers, OneThingThatCannotBeSettledHindersNoOther) {
  const auto dead = registered("drive-1");
  make(*dead, {"a", "b", "c"});
  struct Picky : agents::Estate {
    explicit Picky(ports::ObjectStore& store) : pool(store) {}
    std::vector<Status> settle(const agents::AgentId& id, std::span<const agents::Bequest> bequests) override {
      std::vector<Status> statuses;
      for (const agents::Bequest& bequest : bequests) {
        const bool refuses = bequest.name == thing_name("b") && !is_cured;
        statuses.push_back(refuses ? Status(unavailable("not now")) : pool.settle(id, {&bequest, 1}).front());
      }
      return statuses;
    }
    Pool pool;
    bool is_cured = false;
  } picky(store_);
  const auto self = registered("m");
  agents::Takeover takeover(store_, *self, picky, Collector::kTimeout);
  const auto pass = [&] {
    now_ = now_ + Collector::kTimeout / 3;
    must(self->heart().beat());
    return must(takeover.run(now_, 1000));
  };
  for (int i = 0; i < 6; ++i) pass();
  EXPECT_EQ(thing("a").owner, "pool");
  EXPECT_EQ(thing("b").owner, dead->id().str());
  EXPECT_EQ(thing("c").owner, "pool");
  EXPECT_EQ(pass().problems, std::vector<std::string>{"agent/drive-1@1: not now"});
  EXPECT_EQ(must(agents::list_agents(store_))[0].owned, Names{thing_name("b")});
  picky.is_cured = true;
  EXPECT_EQ(pass().collected, 1U);
  EXPECT_EQ(thing("b").owner, "pool");
}

TEST_F(Takeovers, AnAgentThatCannotBeReadIsToldOfAndHindersNoOther) {
  const auto unreadable = registered("drive-1");
  must(store_.replace(unreadable->id().object(), must(store_.read(unreadable->id().object())).version, "damaged"));
  const auto dead = registered("drive-2");
  make(*dead, {"a"});
  Collector collector(store_, "m");
  const agents::TakeoverReport report = collect_with(collector);
  EXPECT_EQ(report.collected, 1U);
  EXPECT_EQ(thing("a").owner, "pool");
  ASSERT_FALSE(report.problems.empty());
  EXPECT_NE(report.problems.front().find("agent/drive-1@1"), std::string::npos);
}

TEST_F(Takeovers, ABeatWithoutAnAgentIsRemoved) {
  must(store_.create({"beat", "drive-1@77"}, agents::encode(agents::AgentId{.name = "drive-1", .epoch = 77}, agents::stored::Beat())));
  Collector collector(store_, "m");
  EXPECT_EQ(collect_with(collector).leftovers, 1U);
  EXPECT_FALSE(exists({"beat", "drive-1@77"}));
}

TEST_F(Takeovers, ACollectorThatWasCollectedSaysSo) {
  Collector paused(store_, "m1");
  must(paused.pass(now_));
  Collector other(store_, "m2");
  EXPECT_EQ(collect_with(other).collected, 1U);
  EXPECT_EQ(paused.pass(now_).error().kind, Error::Kind::kFenced);
  EXPECT_EQ(paused.takeover.run(now_, 1000).error().kind, Error::Kind::kFenced);
  EXPECT_EQ(paused.agent->heart().late(), (agents::LateWrites{{"agent", 1}}));
}

TEST_F(Takeovers, AnIdlePassCostsTwoListsAndTheBeats) {
  sim::CountingStore counted(store_);
  const auto living = registered("drive-1");
  Collector collector(counted, "m");
  must(collector.pass(now_));
  (void)counted.take();
  must(collector.takeover.run(now_, 1000));
  EXPECT_EQ(counted.cost().batches, 3);
  EXPECT_EQ(counted.cost().count(), 4) << "two lists, two beats";
}

}  // namespace
}  // namespace reclaim::test
