// What is left out is left out rightly: programs made by chance end, schedule by schedule of all, as they do in those that are not left
// out.
#include "sim/reduced_schedules.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "sim/schedules.hpp"

namespace reclaim::sim {
namespace {

using How = Touch::How;

// Three actors and three objects, which are read and written, and come and go. Which object a call is about depends on what the actor has
// seen before.
struct Program {
  explicit Program(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (auto& actor : steps) {
      for (Step& step : actor) step = {kHows.at(random() % kHows.size()), random() % 3};
    }
  }

  struct Step {
    How how = How::kRead;
    std::size_t object = 0;
  };
  std::array<std::array<Step, 3>, 3> steps;
};

struct World {
  std::array<int, 3> values = {};
  std::set<int> names;
  std::array<std::string, 3> seen;  // by each actor

  std::string told() const {
    std::string text = seen[0] + '|' + seen[1] + '|' + seen[2] + '|';
    for (const int value : values) text += std::to_string(value) + ' ';
    for (const int name : names) text += std::to_string(name) + ' ';
    return text;
  }
};

void act(const Program& program, std::size_t self, Stage& stage, World& world) {
  std::size_t last = 0;
  for (const Program::Step& step : program.steps.at(self)) {
    const std::size_t object = (step.object + last) % 3;
    const bool is_of_names = step.how == How::kList || step.how == How::kChange;
    stage.arrive({"call", {{is_of_names ? "names" : std::to_string(object), step.how}}});
    int& value = world.values.at(object);
    switch (step.how) {
      case How::kRead: last = static_cast<std::size_t>(value); break;
      case How::kWrite: value = static_cast<int>(self) + 1; break;
      case How::kList: last = world.names.size(); break;
      case How::kChange: world.names.insert(static_cast<int>(self * 10) + static_cast<int>(world.seen.at(self).size())); break;
    }
    world.seen.at(self) += std::to_string(last);
  }
}

std::string play(const Program& program, const Director& director) {
  Stage stage;
  World world;
  for (std::size_t self = 0; self < 3; ++self) {
    stage.add(std::to_string(self), [&, self] { act(program, self, stage, world); });
  }
  EXPECT_TRUE(stage.play(director));
  return world.told();
}

std::set<std::string> ends_of_all(const Program& program, std::size_t& runs) {
  std::set<std::string> ends;
  BoundedSchedules all(2);
  do ends.insert(play(program, all.director()));
  while (all.next());
  runs += all.runs();
  return ends;
}

std::set<std::string> ends_of_reduced(const Program& program, std::size_t& runs) {
  std::set<std::string> ends;
  ReducedSchedules reduced(2);
  while (reduced.next()) {
    const std::string end = play(program, reduced.director());
    if (reduced.is_another()) ends.insert(end);
  }
  runs += reduced.runs() + reduced.left_out();
  return ends;
}

TEST(ReducedSchedules, EndInEveryWayInWhichAllOfThemEnd) {
  std::size_t runs_of_all = 0;
  std::size_t runs_of_reduced = 0;
  for (std::uint64_t seed = 1; seed <= 30 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Program program(seed);
    EXPECT_EQ(ends_of_all(program, runs_of_all), ends_of_reduced(program, runs_of_reduced));
  }
  EXPECT_LT(runs_of_reduced * 4, runs_of_all);
}

TEST(ReducedSchedules, OfActorsThatNeverConflictAreOneRun) {
  ReducedSchedules reduced(2);
  while (reduced.next()) {
    Stage stage;
    for (const char* name : {"a", "b", "c"}) {
      stage.add(name, [&stage, name] {
        for (int i = 0; i < 5; ++i) stage.arrive({"mine", {{name, How::kWrite}}});
      });
    }
    EXPECT_TRUE(stage.play(reduced.director()));
    (void)reduced.is_another();
  }
  EXPECT_EQ(reduced.runs(), 1u);
}

TEST(Calls, ConflictOverOneObjectThatOneOfThemWrites) {
  const Call reads{"", {{"x", How::kRead}}};
  const Call writes{"", {{"x", How::kWrite}, {"names", How::kChange}}};
  const Call lists{"", {{"names", How::kList}}};
  EXPECT_FALSE(conflict(reads, reads));
  EXPECT_TRUE(conflict(reads, writes));
  EXPECT_TRUE(conflict(writes, lists));
  EXPECT_FALSE(conflict(reads, lists));
  const Call changes{"", {{"names", How::kChange}}};
  EXPECT_FALSE(conflict(changes, changes));
}

TEST(Traces, DifferOnlyInTheOrderOfCallsThatConflict) {
  const Call reads{"", {{"x", How::kRead}}};
  const Call writes{"", {{"x", How::kWrite}}};
  const Call elsewhere{"", {{"y", How::kWrite}}};
  const auto number = [](const std::vector<std::pair<std::size_t, Call>>& calls) {
    Trace trace;
    for (const auto& [actor, call] : calls) trace.add(actor, call);
    return trace.number();
  };
  EXPECT_EQ(number({{0, reads}, {1, reads}, {2, elsewhere}}), number({{2, elsewhere}, {1, reads}, {0, reads}}));
  EXPECT_NE(number({{0, reads}, {1, writes}}), number({{1, writes}, {0, reads}}));
  EXPECT_NE(number({{0, reads}}), number({{1, reads}}));
}

}  // namespace
}  // namespace reclaim::sim
