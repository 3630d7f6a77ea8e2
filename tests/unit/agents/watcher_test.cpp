#include "agents/watcher.hpp"

#include <gtest/gtest.h>

namespace reclaim::agents {
namespace {

using namespace std::chrono_literals;

const AgentId kSelf{.name = "self", .epoch = 1};
const AgentId kOther{.name = "other", .epoch = 2};

// One look: what the watcher sees of the other, and whether its own beat has moved.
struct Look {
  Millis at;
  std::uint64_t alive = 1;
  std::uint64_t progress = 1;
  Millis limit{0};
  bool own_moved = true;
  bool missed = false;
};

struct Story {
  const char* name;
  std::vector<Look> looks;
  Life life;  // after the last
};

std::vector<Judgement> judge_all(Watcher& watcher, const std::vector<Look>& looks) {
  std::vector<Judgement> last;
  std::uint64_t own = 0;
  for (const Look& look : looks) {
    if (look.missed) watcher.missed();
    if (look.missed) continue;
    if (look.own_moved) ++own;
    const std::vector<Sighting> sightings = {
        {.id = kOther, .beat = Beat{.alive = look.alive, .progress = look.progress, .limit = look.limit, .version = {7}}},
        {.id = kSelf, .beat = Beat{.alive = own}}};
    last = watcher.judge(Instant{look.at.count()}, sightings);
  }
  return last;
}

class Stories : public testing::TestWithParam<Story> {};

TEST_P(Stories, EndAsTheySay) {
  Watcher watcher(kSelf, 4s);
  const std::vector<Judgement> judgements = judge_all(watcher, GetParam().looks);
  ASSERT_EQ(judgements.size(), 1U) << "oneself is not judged";
  EXPECT_EQ(name_of(judgements[0].life), name_of(GetParam().life));
}

INSTANTIATE_TEST_SUITE_P(
    Watcher, Stories,
    testing::Values(
        Story{"SeenOnceIsAlive", {{.at = 100s}}, Life::kAlive},
        Story{
            "BeatsAreLife", {{.at = 0s, .alive = 1}, {.at = 2s, .alive = 2}, {.at = 4s, .alive = 3}, {.at = 6s, .alive = 4}}, Life::kAlive},
        Story{"JustBelowTheTimeout", {{.at = 0s}, {.at = 2s}, {.at = 3999ms}}, Life::kAlive},
        Story{"SilentForTheTimeout", {{.at = 0s}, {.at = 2s}, {.at = 4s}}, Life::kSilent},
        Story{"OneLongPauseOfTheWatcherIsHalfATimeoutAtMost", {{.at = 0s}, {.at = 1000s}}, Life::kAlive},
        Story{"ACounterThatGoesBackMovesToo", {{.at = 0s, .alive = 9}, {.at = 2s, .alive = 9}, {.at = 4s, .alive = 8}}, Life::kAlive},
        Story{"TimeAroundAFailedLookDoesNotCount",
              {{.at = 0s}, {.at = 2s}, {.at = 2s, .missed = true}, {.at = 4s}, {.at = 5999ms}},
              Life::kAlive},
        Story{"ItGoesOnCountingAfterAFailedLook",
              {{.at = 0s}, {.at = 2s}, {.at = 2s, .missed = true}, {.at = 4s}, {.at = 6s}},
              Life::kSilent},
        Story{"NothingCountsWhileOnesOwnBeatStandsStill",
              {{.at = 0s}, {.at = 2s, .own_moved = false}, {.at = 4s, .own_moved = false}, {.at = 100s, .own_moved = false}},
              Life::kAlive},
        Story{"TheWaitForOnesOwnBeatCountsWhenItMoves",
              {{.at = 0s}, {.at = 1s, .own_moved = false}, {.at = 2s}, {.at = 3s, .own_moved = false}, {.at = 4s}},
              Life::kSilent},
        Story{"NobodyIsChargedForTimeBeforeHeMoved",
              {{.at = 0s},
               {.at = 1999ms, .alive = 2, .own_moved = false},
               {.at = 2s, .alive = 2},
               {.at = 4s, .alive = 2},
               {.at = 5998ms, .alive = 2}},
              Life::kAlive},
        Story{"StuckForItsLimit",
              {{.at = 0s, .alive = 1, .limit = 3s}, {.at = 2s, .alive = 2, .limit = 3s}, {.at = 3s, .alive = 3, .limit = 3s}},
              Life::kStuck},
        Story{"ALimitLongerThanTheTimeoutIsGranted",
              {{.at = 0s, .alive = 1, .limit = 600s}, {.at = 2s, .alive = 2, .limit = 600s}, {.at = 4s, .alive = 3, .limit = 600s}},
              Life::kAlive},
        Story{"EachStepHasItsOwnLimit",
              {{.at = 0s, .alive = 1, .progress = 1, .limit = 3s},
               {.at = 2s, .alive = 2, .progress = 2, .limit = 3s},
               {.at = 4s, .alive = 3, .progress = 2, .limit = 3s}},
              Life::kAlive},
        Story{"WhoRestsIsNotStuck",
              {{.at = 0s, .alive = 1}, {.at = 2s, .alive = 2}, {.at = 4s, .alive = 3}, {.at = 6s, .alive = 4}},
              Life::kAlive},
        Story{"SilenceEndsALongStepToo", {{.at = 0s, .limit = 600s}, {.at = 2s, .limit = 600s}, {.at = 4s, .limit = 600s}}, Life::kSilent}),
    [](const testing::TestParamInfo<Story>& story) { return story.param.name; });

TEST(Watcher, AnAgentWithoutABeatIsDeadAtOnce) {
  Watcher watcher(kSelf, 4s);
  EXPECT_EQ(watcher.judge(Instant{0}, std::vector<Sighting>{{.id = kOther}})[0].life, Life::kBeatless);
}

TEST(Watcher, ABeatWithoutAnAgentIsALeftoverAfterTheTimeout) {
  Watcher watcher(kSelf, 4s);
  Life life = Life::kAlive;
  for (std::uint64_t second = 0; second <= 4; second += 2) {
    EXPECT_EQ(life, Life::kAlive) << "it may be registering";
    const std::vector<Sighting> sightings = {{.id = kOther, .has_object = false, .beat = Beat{}},
                                             {.id = kSelf, .beat = Beat{.alive = second}}};
    life = watcher.judge(Instant{static_cast<std::int64_t>(second) * 1000}, sightings)[0].life;
  }
  EXPECT_EQ(life, Life::kLeftover);
}

TEST(Watcher, WhoIsCollectedJudgesNobody) {
  Watcher watcher(kSelf, 4s);
  for (std::int64_t at = 0; at < 100'000; at += 1000) {
    EXPECT_EQ(watcher.judge(Instant{at}, std::vector<Sighting>{{.id = kOther, .beat = Beat{}}})[0].life, Life::kAlive);
  }
}

TEST(Watcher, TellsForHowLongACounterStandsStill) {
  Watcher watcher(kSelf, 4s);
  const Judgement judgement =
      judge_all(watcher, {{.at = 0s, .alive = 1}, {.at = 2s, .alive = 2}, {.at = 3s, .alive = 2}, {.at = 3500ms, .alive = 2}})[0];
  EXPECT_EQ(judgement.silent_for, 1500ms);
  EXPECT_EQ(judgement.still_for, 3500ms);
}

}  // namespace
}  // namespace reclaim::agents
