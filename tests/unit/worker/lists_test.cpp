#include "worker/lists.hpp"

#include <gtest/gtest.h>

namespace reclaim::worker {
namespace {

using Places = std::vector<std::size_t>;
constexpr Millis kPatience{5'000};
constexpr Instant kNow{1'000'000};
constexpr Instant kLate{1'020'000};

TEST(Lists, OneThatRunsIsNotStartedAgain) {
  Lists lists(2, kPatience);
  EXPECT_EQ(lists.start(1, kNow), (Places{0, 1}));
  lists.finished(0, done(), kNow);
  EXPECT_EQ(lists.start(1, kNow), Places{0});
}

TEST(Lists, AreWaitedForAsLongAsPatienceLasts) {
  Lists lists(2, kPatience);
  (void)lists.start(1, kNow);
  EXPECT_EQ(lists.waits_until(), kNow + kPatience);
  lists.finished(0, done(), kNow);
  EXPECT_EQ(lists.waits_until(), kNow + kPatience);
  lists.finished(1, done(), kNow);
  EXPECT_FALSE(lists.waits_until());
}

TEST(Lists, OneThatHangsDelaysOneSyncAtMost) {
  Lists lists(2, kPatience);
  (void)lists.start(1, kNow);
  lists.finished(0, done(), kNow);
  (void)lists.start(1, kLate);
  EXPECT_EQ(lists.waits_until(), kLate + kPatience) << "for the one that was started now";
  lists.finished(0, done(), kLate);
  EXPECT_LT(lists.waits_until().value_or(Instant{}), kLate);
}

TEST(Lists, OneThatWasSlowIsNotWaitedForUntilItIsQuickAgain) {
  Lists lists(1, kPatience);
  (void)lists.start(1, kNow);
  lists.finished(0, done(), kLate);
  (void)lists.start(1, kLate);
  EXPECT_FALSE(lists.waits_until());
  lists.finished(0, done(), kLate + Millis(10));
  (void)lists.start(1, kLate);
  EXPECT_TRUE(lists.waits_until());
}

TEST(Lists, GoByTheLeastMarkUnderWhichOneBegan) {
  Lists lists(2, kPatience);
  (void)lists.start(5, kNow);
  lists.finished(0, done(), kNow);
  (void)lists.start(7, kNow);
  lists.finished(0, done(), kNow);
  lists.finished(1, done(), kNow);
  EXPECT_EQ(lists.carry({0, 1}), 5);
  EXPECT_FALSE(lists.is_at_hand(0)) << "no listing is sent twice";
}

TEST(Lists, SlowOnesWaitForEachOther) {
  Lists lists(2, kPatience);
  (void)lists.start(1, kNow);
  lists.finished(0, done(), kLate);
  (void)lists.start(2, kLate);
  lists.finished(1, done(), kLate + Millis(1));
  EXPECT_TRUE(lists.is_at_hand(0));
  EXPECT_TRUE(lists.is_at_hand(1));
  EXPECT_EQ(lists.carry({0, 1}), 1);
}

TEST(Lists, OneThatFailsTakesWhatIsAtHandAway) {
  Lists lists(1, kPatience);
  (void)lists.start(1, kNow);
  lists.finished(0, done(), kNow);
  (void)lists.start(1, kNow);
  lists.finished(0, unavailable("the disk is away"), kNow);
  EXPECT_FALSE(lists.is_at_hand(0));
  EXPECT_EQ(lists.trouble(0, kNow)->message, "the disk is away");
}

TEST(Lists, BegunBeforeMarksWereForgottenGoByNone) {
  Lists lists(2, kPatience);
  (void)lists.start(5, kNow);
  lists.finished(0, done(), kNow);
  lists.forget_marks();
  lists.finished(1, done(), kNow);
  EXPECT_EQ(lists.carry({0}), 0);
  EXPECT_EQ(lists.carry({1}), 0);
}

}  // namespace
}  // namespace reclaim::worker
