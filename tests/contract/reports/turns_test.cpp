// Whose report is next.
#include "adapters/report_http/turns.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace reclaim::report_http {
namespace {

using Reports = std::vector<std::size_t>;

Reports begin_all(Turns& turns, std::size_t most = 1000) {
  Reports begun;
  while (begun.size() < most) {
    const std::optional<std::size_t> next = turns.begin();
    if (!next) break;
    begun.push_back(*next);
  }
  return begun;
}

TEST(Turns, OfOneTargetReportsGoInTheirOrderUpToItsShare) {
  Turns turns(3);
  for (std::size_t i = 0; i < 10; ++i) turns.add(i, "a");
  EXPECT_EQ(begin_all(turns), (Reports{0, 1, 2}));
  EXPECT_EQ(turns.end(1, true), Reports{});
  EXPECT_EQ(begin_all(turns), Reports{3});
}

TEST(Turns, TheTargetWithTheFewestUnderWayIsNext) {
  Turns turns(8);
  for (std::size_t i = 0; i < 20; ++i) turns.add(i, "many");
  turns.add(20, "few");
  turns.add(21, "few");
  EXPECT_EQ(begin_all(turns, 4), (Reports{20, 0, 21, 1}));
  EXPECT_EQ(turns.end(0, true), Reports{});
  EXPECT_EQ(begin_all(turns, 2), (Reports{2, 3}));
}

TEST(Turns, TargetsTakeTurns) {
  Turns turns(1);
  for (std::size_t i = 0; i < 6; ++i) turns.add(i, i % 2 == 0 ? "a" : "b");
  Reports order;
  for (std::size_t i = 0; i < 6; ++i) {
    const Reports begun = begin_all(turns, 1);
    ASSERT_EQ(begun.size(), 1U);
    order.push_back(begun.front());
    EXPECT_EQ(turns.end(begun.front(), true), Reports{});
  }
  EXPECT_EQ(order, (Reports{0, 1, 2, 3, 4, 5}));
}

TEST(Turns, ASilentTargetIsGivenUpAfterItsShare) {
  Turns turns(3);
  for (std::size_t i = 0; i < 10; ++i) turns.add(i, "a");
  EXPECT_EQ(begin_all(turns), (Reports{0, 1, 2}));
  EXPECT_EQ(turns.end(0, false), Reports{});
  EXPECT_EQ(turns.end(1, false), Reports{});
  EXPECT_EQ(begin_all(turns), Reports{}) << "the third may show that it lives";
  EXPECT_EQ(turns.end(2, false), (Reports{3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(begin_all(turns), Reports{});
}

TEST(Turns, AnAnswerShowsThatATargetLives) {
  Turns turns(2);
  for (std::size_t i = 0; i < 6; ++i) turns.add(i, "a");
  EXPECT_EQ(begin_all(turns), (Reports{0, 1}));
  EXPECT_EQ(turns.end(0, false), Reports{});
  EXPECT_EQ(turns.end(1, true), Reports{});
  EXPECT_EQ(begin_all(turns), (Reports{2, 3}));
}

// However many targets hang, who answers goes on: whoever has something under way for long is not the one with the fewest.
TEST(Turns, ManyTargetsThatHangDoNotKeepOneThatAnswersWaiting) {
  Turns turns(4);
  for (std::size_t i = 0; i < 100; ++i) turns.add(i, "h" + std::to_string(i % 5));
  for (std::size_t i = 100; i < 200; ++i) turns.add(i, "good");
  std::size_t delivered = 0;
  std::size_t free_slots = 8;
  for (bool is_over = false; !is_over;) {
    is_over = true;
    for (const std::size_t report : begin_all(turns, free_slots)) {
      --free_slots;
      if (report < 100) continue;
      EXPECT_EQ(turns.end(report, true), Reports{});
      ++free_slots;
      ++delivered;
      is_over = false;
    }
  }
  EXPECT_EQ(delivered, 100U);
}

}  // namespace
}  // namespace reclaim::report_http
