#include "worker/concurrency.hpp"

#include <gtest/gtest.h>

namespace reclaim::worker {
namespace {

constexpr int kEnough = 10;  // outcomes for one judgement

void succeed(ConcurrencyLimit& limit, Millis took, int judgements = 1) {
  for (int i = 0; i < kEnough * judgements; ++i) limit.succeeded(took);
}
void fail(ConcurrencyLimit& limit, int judgements = 1) {
  for (int i = 0; i < kEnough * judgements; ++i) limit.failed();
}

TEST(ConcurrencyLimit, IsWhatWasConfiguredWhileAllGoesWell) {
  ConcurrencyLimit limit(8);
  succeed(limit, Millis(200), 20);
  EXPECT_EQ(limit.limit(), 8U);
}

TEST(ConcurrencyLimit, HalvesWhileMostFailAndIsNeverBelowOne) {
  ConcurrencyLimit limit(8);
  fail(limit);
  EXPECT_EQ(limit.limit(), 4U);
  fail(limit, 20);
  EXPECT_EQ(limit.limit(), 1U);
}

TEST(ConcurrencyLimit, GrowsByOneAfterItFell) {
  ConcurrencyLimit limit(8);
  fail(limit);
  succeed(limit, Millis(200));
  EXPECT_EQ(limit.limit(), 5U);
  succeed(limit, Millis(200), 20);
  EXPECT_EQ(limit.limit(), 8U) << "and never above what was configured";
}

TEST(ConcurrencyLimit, FallsWhenEachTakesFarLongerThanUsual) {
  ConcurrencyLimit limit(8);
  succeed(limit, Millis(200));
  succeed(limit, Millis(700));
  EXPECT_EQ(limit.limit(), 6U);
}

TEST(ConcurrencyLimit, FewSlowOnesAmongManyChangeNothing) {
  ConcurrencyLimit limit(8);
  for (int i = 0; i < 10 * kEnough; ++i) limit.succeeded(i % 10 == 0 ? Millis(60'000) : Millis(200));
  EXPECT_EQ(limit.limit(), 8U);
}

TEST(ConcurrencyLimit, WhatIsShortIsNeverSlow) {
  ConcurrencyLimit limit(8);
  succeed(limit, Millis(1));
  succeed(limit, Millis(90), 3);
  EXPECT_EQ(limit.limit(), 8U);
}

TEST(ConcurrencyLimit, WorkThatIsHeavyByItselfBecomesUsual) {
  ConcurrencyLimit limit(8);
  succeed(limit, Millis(200));
  succeed(limit, Millis(5'000), 40);
  EXPECT_EQ(limit.limit(), 8U);
}

}  // namespace
}  // namespace reclaim::worker
