// The decorators on the object store: what a crash at each place leaves, and what is counted.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "adapters/objects_memory/memory_store.hpp"
#include "sim/counting_store.hpp"
#include "sim/faulty_store.hpp"

namespace reclaim::sim {
namespace {

using objects_memory::MemoryStore;
using ports::ObjectName;
using ports::StoreAnswer;
using ports::StoreCall;
using Keys = std::vector<std::string>;

const ObjectName kA{"queue", "a"};
const ObjectName kB{"queue", "b"};

// A process of three calls: create, list, create.
void create_list_create(ports::ObjectStore& store) {
  (void)store.create(kA, "").ok();
  (void)store.list_all("queue").ok();
  (void)store.create(kB, "").ok();
}

// What it leaves when call `at` ends so.
Keys left_by(int at, Outcome outcome) {
  MemoryStore memory;
  Fault fault{.at = at, .outcome = outcome};
  FaultyStore faulty(memory, fault);
  bool stopped = false;
  try {
    create_list_create(faulty);
  } catch (const Crash&) {
    stopped = true;
  }
  EXPECT_TRUE(fault.happened);
  EXPECT_EQ(stopped, outcome != Outcome::kAnswerLost);
  EXPECT_EQ(fault.calls, stopped ? at + 1 : 3);
  return memory.list_all("queue").value();
}

std::vector<StoreCall> creates(int count) {
  std::vector<StoreCall> calls;
  for (int i = 0; i < count; ++i) calls.push_back(ports::create_call({"queue", std::to_string(i)}, ""));
  return calls;
}

// What a batch of ten leaves when the process stops at call 5 of it.
Keys left_by_batch(Outcome outcome, std::uint64_t seed) {
  MemoryStore memory;
  Fault fault{.at = 5, .outcome = outcome};
  FaultyStore faulty(memory, fault, seed);
  EXPECT_THROW((void)faulty.run(creates(10)), Crash);
  return memory.list_all("queue").value();
}

TEST(FaultyStore, WithoutAFaultNumbersTheCallsAndPassesThemOn) {
  MemoryStore memory;
  Fault fault;
  FaultyStore faulty(memory, fault);
  create_list_create(faulty);
  EXPECT_TRUE(faulty.run({}).empty());
  EXPECT_EQ(faulty.run(creates(7)).size(), 7U);
  EXPECT_EQ(fault.calls, 10);
  EXPECT_FALSE(fault.happened);
  EXPECT_EQ(memory.list_all("queue").value().size(), 9U);
}

TEST(FaultyStore, AStopLeavesWhatWasDoneBeforeIt) {
  EXPECT_EQ(left_by(0, Outcome::kStopBefore), Keys{});
  EXPECT_EQ(left_by(0, Outcome::kStopAfter), Keys{"a"});
  EXPECT_EQ(left_by(1, Outcome::kStopBefore), Keys{"a"});
  EXPECT_EQ(left_by(1, Outcome::kStopAfter), Keys{"a"});
  EXPECT_EQ(left_by(2, Outcome::kStopBefore), Keys{"a"});
  EXPECT_EQ(left_by(2, Outcome::kStopAfter), (Keys{"a", "b"}));
}

TEST(FaultyStore, ALostAnswerIsAppliedAndUnavailable) {
  for (int at = 0; at < 3; ++at) EXPECT_EQ(left_by(at, Outcome::kAnswerLost), (Keys{"a", "b"}));

  MemoryStore memory;
  Fault fault{.at = 1, .outcome = Outcome::kAnswerLost};
  FaultyStore faulty(memory, fault);
  const std::vector<StoreAnswer> answers = faulty.run(creates(3));
  EXPECT_TRUE(answers[0].ok());
  EXPECT_EQ(answers[1].error().kind, Error::Kind::kUnavailable);
  EXPECT_TRUE(answers[2].ok());
  EXPECT_EQ(memory.list_all("queue").value().size(), 3U);
  EXPECT_EQ(faulty.list_all("queue").value().size(), 3U);
}

TEST(FaultyStore, AStopInABatchLeavesAnySubsetOfTheOthers) {
  std::set<Keys> before;
  std::set<Keys> after;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Keys left = left_by_batch(Outcome::kStopBefore, seed);
    EXPECT_EQ(left, left_by_batch(Outcome::kStopBefore, seed)) << "a seed is one story";
    EXPECT_EQ(std::ranges::count(left, "5"), 0);
    before.insert(left);
    after.insert(left_by_batch(Outcome::kStopAfter, seed));
  }
  for (const Keys& left : after) EXPECT_EQ(std::ranges::count(left, "5"), 1);
  EXPECT_GT(before.size(), 50U);
  EXPECT_GT(after.size(), 50U);
  // Some that come after the stop in the batch are done while some before it are not.
  EXPECT_TRUE(std::ranges::any_of(
      before, [](const Keys& left) { return std::ranges::count(left, "9") == 1 && std::ranges::count(left, "0") == 0; }));
}

TEST(FaultyStore, ABatchThatIsRefusedLeavesNothing) {
  MemoryStore memory;
  Fault fault{.at = 1, .outcome = Outcome::kStopAfter};
  FaultyStore faulty(memory, fault);
  EXPECT_THROW((void)faulty.run(std::vector<StoreCall>{ports::create_call(kA, ""), ports::create_call(kA, "")}), Crash);
  EXPECT_EQ(memory.list_all("queue").value(), Keys{});
}

TEST(FaultyStore, AFaultHappensOnce) {
  MemoryStore memory;
  Fault fault{.at = 0, .outcome = Outcome::kAnswerLost};
  FaultyStore faulty(memory, fault);
  EXPECT_FALSE(faulty.create(kA, "").ok());
  fault.calls = 0;
  EXPECT_TRUE(faulty.create(kB, "").ok());
}

TEST(CountingStore, CountsByCallKindAndResult) {
  MemoryStore memory;
  CountingStore counting(memory);
  const ports::Version version = counting.create(kA, "four").value();
  EXPECT_FALSE(counting.create(kA, "other").ok());
  EXPECT_TRUE(counting.read(kA).ok());
  EXPECT_FALSE(counting.replace(kA, {version.number + 1}, "late").ok());
  EXPECT_FALSE(counting.read({"agent", "x"}).ok());
  EXPECT_TRUE(counting.run(std::vector<StoreCall>{ports::remove_call(kA, version), ports::create_call(kB, "bb")})[0].ok());
  EXPECT_TRUE(counting.list_all("queue").ok());

  const StoreCost cost = counting.take();
  EXPECT_EQ(cost.calls, (std::map<std::string, std::int64_t>{{"create queue conflict", 1},
                                                             {"create queue ok", 2},
                                                             {"list queue ok", 1},
                                                             {"read agent not-found", 1},
                                                             {"read queue ok", 1},
                                                             {"remove queue ok", 1},
                                                             {"replace queue conflict", 1}}));
  EXPECT_EQ(cost.count(), 8);
  EXPECT_EQ(cost.count("create"), 3);
  EXPECT_EQ(cost.count("create queue conflict"), 1);
  EXPECT_EQ(cost.batches, 7);
  EXPECT_EQ(cost.bytes_written, 6);
  EXPECT_EQ(cost.bytes_read, 4);
  EXPECT_EQ(counting.cost().count(), 0);
}

}  // namespace
}  // namespace reclaim::sim
