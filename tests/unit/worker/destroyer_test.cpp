#include "worker/destroyer.hpp"

#include <gtest/gtest.h>

namespace reclaim::worker {
namespace {

constexpr auto kVolume = ResourceKind::kVolume;
constexpr Instant kNow{1'000'000};

DestroyLimits one_at_a_time() { return {{1, 1}, Millis(2'000), Millis(300'000)}; }

std::string text(const std::vector<Start>& starts) {
  std::string names;
  for (const Start& start : starts) names += (names.empty() ? "" : " ") + start.handle;
  return names;
}

TEST(Destroyer, RunsNoMoreOfAKindThanItsBound) {
  Destroyer destroyer({{5, 3}, Millis(2'000), Millis(300'000)});
  destroyer.accept(kVolume, {"v1", "v2", "v3", "v4", "v5"}, 0);
  EXPECT_EQ(text(destroyer.start(kNow)), "v1 v2 v3");
  EXPECT_EQ(text(destroyer.start(kNow)), "");
  destroyer.finished(kVolume, "v2", done(), kNow);
  EXPECT_EQ(text(destroyer.start(kNow)), "v4");
}

TEST(Destroyer, StartsNoOrderAfterTheTimeThatItsAnswerIsTrustedFor) {
  Destroyer destroyer(one_at_a_time());
  destroyer.accept(kVolume, {"a", "b"}, 0);
  destroyer.trust_until(kNow);
  EXPECT_EQ(text(destroyer.start(kNow)), "a");
  destroyer.finished(kVolume, "a", done(), kNow);
  EXPECT_EQ(text(destroyer.start(kNow + Millis(1))), "") << "stopped for long: its handles may have new bearers";
  EXPECT_EQ(destroyer.queued_count(), 0U);
  destroyer.accept(kVolume, {"b"}, 0);
  destroyer.trust_until(kNow + Millis(1'000));
  EXPECT_EQ(text(destroyer.start(kNow + Millis(2))), "b") << "ordered anew by the next answer";
}

TEST(Destroyer, SaysHowLongADestroyTook) {
  Destroyer destroyer(one_at_a_time());
  destroyer.accept(kVolume, {"v"}, 0);
  (void)destroyer.start(kNow);
  destroyer.finished(kVolume, "v", done(), kNow + Millis(1'234));
  EXPECT_EQ(destroyer.report(1, 0, kNow).results.at(0).took_ms, 1'234);
}

TEST(Destroyer, StragglerGivesItsSlotUpUntilThePenIsFull) {
  Destroyer destroyer(one_at_a_time());
  destroyer.accept(kVolume, {"a", "b", "c", "d", "e", "f", "g"}, 0);
  Instant now = kNow;
  std::string started = text(destroyer.start(now));
  for (int i = 0; i < 8; ++i) {
    now = now + Millis(2'000);
    started += " " + text(destroyer.start(now));
  }
  EXPECT_EQ(started.substr(0, 10), "a b c d e ") << "one slot and a pen of four";
  EXPECT_EQ(destroyer.running_count(), running_max(1));
  destroyer.finished(kVolume, "b", done(), kNow);
  EXPECT_EQ(text(destroyer.start(now)), "f");
}

TEST(Destroyer, SaysWhenAStragglerWillGiveItsSlotUp) {
  Destroyer destroyer(one_at_a_time());
  destroyer.accept(kVolume, {"a", "b"}, 0);
  EXPECT_FALSE(destroyer.next_start()) << "nothing runs, nothing becomes due by itself";
  (void)destroyer.start(kNow);
  EXPECT_EQ(destroyer.next_start(), kNow + Millis(2'000));
  EXPECT_EQ(text(destroyer.start(kNow + Millis(2'000))), "b");
  EXPECT_FALSE(destroyer.next_start());
}

TEST(Destroyer, HandleThatFailedGoesLast) {
  Destroyer destroyer(one_at_a_time());
  destroyer.accept(kVolume, {"poison"}, 0);
  (void)destroyer.start(kNow);
  destroyer.finished(kVolume, "poison", unavailable("busy"), kNow);
  destroyer.accept(kVolume, {"poison", "b"}, 0);
  EXPECT_EQ(text(destroyer.start(kNow)), "b");
}

TEST(Destroyer, RunsFewerAtOnceWhileMostFailAndCountsAHandleOnce) {
  Destroyer destroyer({{8, 8}, Millis(2'000), Millis(300'000)});
  const auto fail_all = [&destroyer](const std::string& prefix) {
    for (int i = 0; i < 10; ++i) destroyer.accept(kVolume, {prefix + std::to_string(i)}, 0);
    for (std::vector<Start> starts = destroyer.start(kNow); !starts.empty(); starts = destroyer.start(kNow)) {
      for (const Start& start : starts) destroyer.finished(kVolume, start.handle, unavailable("busy"), kNow);
    }
  };
  fail_all("a");
  EXPECT_EQ(destroyer.slots(kVolume), 4U);
  fail_all("a");
  EXPECT_EQ(destroyer.slots(kVolume), 4U) << "they failed before: it is them, not the machine";
  EXPECT_EQ(destroyer.slots(ResourceKind::kContainer), 8U);
}

TEST(Destroyer, AttemptsAreCountedUntilItSucceeds) {
  Destroyer destroyer(one_at_a_time());
  for (int i = 1; i <= 3; ++i) {
    destroyer.accept(kVolume, {"v"}, 0);
    (void)destroyer.start(kNow);
    destroyer.finished(kVolume, "v", i < 3 ? Status(unavailable("busy")) : done(), kNow);
    const Report report = destroyer.report(i, 0, kNow);
    ASSERT_EQ(report.results.size(), 1U);
    EXPECT_EQ(report.results[0].attempt, i);
    EXPECT_EQ(report.results[0].error, i < 3 ? "busy" : "");
    destroyer.answered(i);
  }
}

TEST(Destroyer, OrderInHandIsNotTakenTwice) {
  Destroyer destroyer(one_at_a_time());
  EXPECT_EQ(destroyer.accept(kVolume, {"a", "a", "b"}, 0), 2U);
  (void)destroyer.start(kNow);
  EXPECT_EQ(destroyer.accept(kVolume, {"a", "b"}, 0), 0U);
}

TEST(Destroyer, TakesABoundedNumberOfOrders) {
  Destroyer destroyer(one_at_a_time());
  std::vector<std::string> handles;
  for (std::size_t i = 0; i < kOrdersMax + 10; ++i) handles.push_back("v" + std::to_string(i));
  EXPECT_EQ(destroyer.accept(kVolume, handles, 0), kOrdersMax);
}

TEST(Destroyer, DroppedOrdersAreNeitherInHandNorStarted) {
  Destroyer destroyer(one_at_a_time());
  destroyer.accept(kVolume, {"a", "b"}, 0);
  (void)destroyer.start(kNow);
  destroyer.drop_queued();
  EXPECT_EQ(destroyer.report(1, 0, kNow).in_hand.volumes, std::vector<std::string>{"a"});
  destroyer.finished(kVolume, "a", done(), kNow);
  EXPECT_EQ(text(destroyer.start(kNow)), "");
}

TEST(Destroyer, ResultBelongsToTheSyncThatCarriedItLast) {
  Destroyer destroyer(one_at_a_time());
  destroyer.accept(kVolume, {"a"}, 0);
  (void)destroyer.start(kNow);
  destroyer.finished(kVolume, "a", done(), kNow);
  EXPECT_EQ(destroyer.report(1, 0, kNow).results.size(), 1U);
  EXPECT_EQ(destroyer.report(2, 0, kNow).results.size(), 1U);
  destroyer.answered(1);
  EXPECT_EQ(destroyer.report(3, 0, kNow).results.size(), 1U) << "sync 1 was given up before its answer came";
  destroyer.answered(3);
  EXPECT_TRUE(destroyer.is_idle());
}

}  // namespace
}  // namespace reclaim::worker
