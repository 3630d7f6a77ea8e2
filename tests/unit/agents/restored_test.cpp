#include "agents/restored.hpp"

#include <gtest/gtest.h>

#include "adapters/objects_memory/memory_store.hpp"
#include "agents/agent.hpp"
#include "agents/epochs.hpp"
#include "unit/agents/pool.hpp"

namespace reclaim::test {
namespace {

using agents::Agent;
using sim::must;

TEST(RestoredStores, GiveEpochsThatNobodyHadBefore) {
  objects_memory::MemoryStore store;
  EXPECT_EQ(must(agents::draw_epoch(store)), 1U);
  must(agents::begin_anew(store, 7));
  const std::uint64_t next = must(agents::draw_epoch(store));
  EXPECT_GT(next, agents::kEpochsSkipped) << "a clock that is wrong";
  must(agents::begin_anew(store, std::uint64_t{1} << 50U));
  EXPECT_GT(must(agents::draw_epoch(store)), std::uint64_t{1} << 50U);
  objects_memory::MemoryStore empty;
  must(agents::begin_anew(empty, 1000));
  EXPECT_GT(must(agents::draw_epoch(empty)), 1000U);
}

TEST(RestoredStores, HaveDeadAgentsWhoAreCollectedByTheFirstPass) {
  objects_memory::MemoryStore store;
  const std::unique_ptr<Agent> former = must(Agent::register_as(store, "drive-1", "drive"));
  must(former->own(std::vector{thing_name("a")}));
  must(store.create(thing_name("a"), Thing{.owner = former->id().str()}.bytes()));
  must(store.create({"beat", "nobody@9"}, "x"));
  must(agents::begin_anew(store, 1000));
  EXPECT_TRUE(must(store.list_all("beat")).empty());
  Collector collector(store, "m");
  Instant now;
  must(collector.pass(now));
  EXPECT_EQ(find_thing(store, "a")->owner, "pool");
  EXPECT_EQ(former->heart().beat().error().kind, Error::Kind::kFenced) << "should its process come back";
  EXPECT_EQ(former->own(std::vector{thing_name("b")}).error().kind, Error::Kind::kFenced);
}

}  // namespace
}  // namespace reclaim::test
