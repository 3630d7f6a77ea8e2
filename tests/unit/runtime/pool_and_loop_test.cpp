#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <future>

#include "runtime/bounded_pool.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "runtime/signals.hpp"

namespace reclaim::runtime {
namespace {

constexpr Millis kPatience{10'000};

class StandingClock : public Clock {
 public:
  Instant now() const override { return {now_.load()}; }
  WallTime wall() const override { return {now_.load()}; }
  void advance(Millis by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{1'000};
};

TEST(BoundedPool, TakesNoMoreTasksThanItHasThreads) {
  BoundedPool pool(2);
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  EXPECT_TRUE(pool.try_submit([gone] { gone.wait(); }));
  EXPECT_TRUE(pool.try_submit([gone] { gone.wait(); }));
  EXPECT_FALSE(pool.try_submit([] {}));
  EXPECT_EQ(pool.busy(), 2U);
  EXPECT_FALSE(pool.wait_idle(Millis(0)));
  go.set_value();
  EXPECT_TRUE(pool.wait_idle(kPatience));
  EXPECT_TRUE(pool.try_submit([] {}));
}

TEST(BoundedPool, RunsEverythingThatWaitsForAThread) {
  std::atomic<int> ran{0};
  std::atomic<int> at_once{0};
  std::atomic<int> most{0};
  {
    BoundedPool pool(3);
    for (int i = 0; i < 1'000; ++i) {
      pool.submit([&] {
        const int now = ++at_once;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        ++ran;
        --at_once;
      });
    }
  }
  EXPECT_EQ(ran, 1'000);
  EXPECT_LE(most, 3);
}

TEST(ResultQueue, HandsOverWhatManyThreadsBring) {
  ResultQueue<int> queue;
  BoundedPool pool(4);
  for (int i = 0; i < 100; ++i) pool.submit([&queue, i] { queue.push(i); });
  int sum = 0;
  int count = 0;
  while (count < 100) {
    for (const int result : queue.wait(kPatience)) {
      sum += result;
      ++count;
    }
  }
  EXPECT_EQ(sum, 4950);
}

TEST(ResultQueue, WakingEndsTheWaitEmptyHanded) {
  ResultQueue<int> queue;
  queue.wake();
  EXPECT_TRUE(queue.wait(kPatience).empty());
}

TEST(Loop, RunsAtOnceAndAgainWhenWoken) {
  const StandingClock clock;
  ResultQueue<int> passes;
  int count = 0;
  Loop loop(clock, Millis(3'600'000), [&](const std::stop_token&) { passes.push(++count); });
  EXPECT_EQ(passes.wait(kPatience), std::vector<int>{1});
  loop.wake();
  EXPECT_EQ(passes.wait(kPatience), std::vector<int>{2});
}

TEST(Loop, RunsWhenItsPeriodHasPassed) {
  StandingClock clock;
  ResultQueue<int> passes;
  Loop loop(clock, Millis(60'000), [&](const std::stop_token&) { passes.push(1); });
  EXPECT_EQ(passes.wait(kPatience).size(), 1U);
  EXPECT_TRUE(passes.wait(Millis(0)).empty());
  clock.advance(Millis(60'001));
  EXPECT_EQ(passes.wait(kPatience).size(), 1U);
}

TEST(Loop, WithoutAPeriodRunsOnlyWhenWoken) {
  const StandingClock clock;
  ResultQueue<int> passes;
  Loop loop(clock, std::nullopt, [&](const std::stop_token&) { passes.push(1); });
  EXPECT_TRUE(passes.wait(Millis(20)).empty());
  loop.wake();
  EXPECT_EQ(passes.wait(kPatience).size(), 1U);
}

TEST(Loop, WakeUpDuringAPassMakesAnotherPassFollow) {
  const StandingClock clock;
  ResultQueue<int> passes;
  std::promise<void> inside;
  std::promise<void> go;
  int count = 0;
  Loop loop(clock, std::nullopt, [&](const std::stop_token&) {
    if (++count == 1) {
      inside.set_value();
      go.get_future().wait();
    }
    passes.push(count);
  });
  loop.wake();
  inside.get_future().wait();
  for (int i = 0; i < 5; ++i) loop.wake();
  go.set_value();
  std::vector<int> seen = passes.wait(kPatience);
  while (seen.size() < 2) {
    const std::vector<int> more = passes.wait(kPatience);
    seen.insert(seen.end(), more.begin(), more.end());
  }
  EXPECT_EQ(seen, (std::vector<int>{1, 2}));
}

TEST(Loop, StopsAWaitAtOnceAndTellsAPassThatHangs) {
  const StandingClock clock;
  std::promise<void> go;
  std::promise<void> inside;
  Loop idle(clock, std::nullopt, [](const std::stop_token&) {});
  idle.stop();
  EXPECT_TRUE(idle.wait_ended(kPatience));
  Loop busy(clock, Millis(1), [&](const std::stop_token&) {
    inside.set_value();
    go.get_future().wait();
  });
  inside.get_future().wait();
  busy.stop();
  EXPECT_FALSE(busy.wait_ended(Millis(1)));
  go.set_value();
  EXPECT_TRUE(busy.wait_ended(kPatience));
}

TEST(Signals, ArriveAsCallsOnAThread) {
  ResultQueue<int> received;
  const Signals signals({SIGUSR1, SIGUSR2}, [&](int number) { received.push(number); });
  kill(getpid(), SIGUSR2);
  EXPECT_EQ(received.wait(kPatience), std::vector<int>{SIGUSR2});
  kill(getpid(), SIGUSR1);
  EXPECT_EQ(received.wait(kPatience), std::vector<int>{SIGUSR1});
}

TEST(Log, OneEventIsOneLine) {
  testing::internal::CaptureStderr();
  start_log(LogLevel::kInfo);
  log_info("first\nsecond \x1b[31m\xc2\x9b");
  log(LogLevel::kDebug, "not shown");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(text.ends_with("Z info first?second ?[31m?\n")) << text;
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
}

TEST(Log, ALineHasABound) {
  testing::internal::CaptureStderr();
  log_info(std::string(100'000, 'x'));
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(text.ends_with("xxx...\n"));
  EXPECT_LT(text.size(), 4'200U);
}

}  // namespace
}  // namespace reclaim::runtime
