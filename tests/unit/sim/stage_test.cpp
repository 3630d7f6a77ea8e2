// Stages and schedules: who goes on where, how many runs there are, and that a run can be had again.
#include "sim/stage.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "sim/crash.hpp"
#include "sim/schedules.hpp"

namespace reclaim::sim {
namespace {

// Adds one to what both share, in two calls: the update of the other may be lost in between.
void add_one(Stage& stage, int& shared) {
  stage.arrive({"read"});
  const int seen = shared;
  stage.arrive({"write"});
  shared = seen + 1;
}

struct Outcomes {
  std::size_t runs = 0;
  std::multiset<int> ends;
  std::set<std::string> told;
};

Outcomes all_with(std::size_t preemptions) {
  Outcomes outcomes;
  BoundedSchedules schedules(preemptions);
  do {
    Stage stage;
    int shared = 0;
    for (const char* name : {"a", "b"}) stage.add(name, [&] { add_one(stage, shared); });
    EXPECT_TRUE(stage.play(schedules.director()));
    outcomes.ends.insert(shared);
    outcomes.told.insert(stage.told());
  } while (schedules.next());
  outcomes.runs = schedules.runs();
  return outcomes;
}

TEST(Schedules, WithoutPreemptionAreTheOrdersOfTheActors) {
  const Outcomes outcomes = all_with(0);
  EXPECT_EQ(outcomes.runs, 2u);
  EXPECT_EQ(outcomes.ends, (std::multiset<int>{2, 2}));
  EXPECT_TRUE(outcomes.told.contains("a: read\na: write\nb: read\nb: write\n"));
}

TEST(Schedules, FindALostUpdateWithOnePreemption) {
  const Outcomes outcomes = all_with(1);
  EXPECT_TRUE(outcomes.ends.contains(1));
  EXPECT_TRUE(outcomes.told.contains("a: read\nb: read\nb: write\na: write\n"));
}

TEST(Schedules, OfTwoPreemptionsAreAllOrdersOfTwoTimesTwoCalls) { EXPECT_EQ(all_with(2).told.size(), 6u); }

TEST(Schedules, OfOneSeedTellTheSame) {
  const auto told = [](std::uint64_t seed) {
    Stage stage;
    int shared = 0;
    for (const char* name : {"a", "b", "c"}) stage.add(name, [&] { add_one(stage, shared); });
    SeededSchedule schedule(seed, {.switch_percent = 50, .deaths_max = 1, .death_permille = 100});
    EXPECT_TRUE(stage.play(schedule.director()));
    return stage.told();
  };
  std::set<std::string> all;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    EXPECT_EQ(told(seed), told(seed));
    all.insert(told(seed));
  }
  EXPECT_GT(all.size(), 20u);
}

TEST(Stages, LetAnActorDieAtItsCall) {
  Stage stage;
  int shared = 0;
  for (const char* name : {"a", "b"}) stage.add(name, [&] { add_one(stage, shared); });
  EXPECT_TRUE(stage.play([](const Cue& cue) { return Decision{.actor = cue.ready.front(), .dies = cue.step == 2}; }));
  EXPECT_EQ(shared, 1);
  EXPECT_EQ(stage.told(), "a: read\na:   dies\nb: read\nb: write\n");
}

TEST(Stages, KeepAnActorWaitingForWhatAnotherHas) {
  BoundedSchedules schedules(2);
  do {
    Stage stage;
    int inside = 0;
    for (const char* name : {"a", "b", "c"}) {
      stage.add(name, [&] {
        stage.arrive({"begin"});
        stage.take(&inside);
        EXPECT_EQ(++inside, 1);
        stage.arrive({"commit"});
        EXPECT_EQ(inside--, 1);
        stage.give(&inside);
      });
    }
    EXPECT_TRUE(stage.play(schedules.director()));
  } while (schedules.next());
  EXPECT_GT(schedules.runs(), 6u);
}

TEST(Stages, EndARunThatWouldNotEnd) {
  Stage stage;
  stage.add("a", [&] {
    for (;;) stage.arrive({"again"});
  });
  EXPECT_FALSE(stage.play([](const Cue& cue) { return Decision{.actor = cue.ready.front()}; }));
}

}  // namespace
}  // namespace reclaim::sim
