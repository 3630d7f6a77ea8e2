#include "runtime/lane.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <vector>

namespace reclaim::runtime {
namespace {

class StandingClock : public Clock {
 public:
  Instant now() const override { return {now_.load()}; }
  WallTime wall() const override { return {now_.load()}; }
  void advance(Millis by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{1'000};
};

// A task that has begun and ends when told.
class Standing {
 public:
  explicit Standing(Lane& lane, std::size_t bytes = 1) {
    lane.submit(bytes, [this](const Status&) {
      began_.set_value();
      go_.get_future().wait();
    });
    began_.get_future().wait();
  }
  void end() { go_.set_value(); }

 private:
  std::promise<void> began_;
  std::promise<void> go_;
};

Lane::Task told(std::promise<Status>& promise) {
  return [&promise](const Status& turn) { promise.set_value(turn); };
}

TEST(Lane, RunsNoMoreAtOnceThanItHasThreadsAndTheRestInOrder) {
  const StandingClock clock;
  std::vector<int> ran;
  {
    Lane lane(clock, {.threads = 1});
    Standing first(lane);
    std::promise<void> last;
    for (int i = 0; i < 100; ++i) {
      lane.submit(1, [&, i](const Status& turn) {
        EXPECT_TRUE(turn.ok());
        ran.push_back(i);
        if (i == 99) last.set_value();
      });
    }
    EXPECT_EQ(lane.counts().running, 1U);
    EXPECT_EQ(lane.counts().waiting, 100U);
    first.end();
    last.get_future().wait();
  }
  ASSERT_EQ(ran.size(), 100U);
  EXPECT_TRUE(std::is_sorted(ran.begin(), ran.end()));
}

TEST(Lane, RefusesAtOnceWhatFindsNoPlaceInLine) {
  const StandingClock clock;
  Lane lane(clock, {.threads = 1, .waiting_max = 2, .waiting_bytes_max = 10});
  Standing first(lane);
  std::promise<Status> heavy;
  lane.submit(11, told(heavy));
  EXPECT_EQ(heavy.get_future().get().error().kind, Error::Kind::kUnavailable);
  std::promise<Status> waits[2];
  for (std::promise<Status>& one : waits) lane.submit(5, told(one));
  std::promise<Status> late;
  lane.submit(0, told(late));
  EXPECT_EQ(late.get_future().get().error().kind, Error::Kind::kUnavailable);
  EXPECT_EQ(lane.counts().refused, 2U);
  first.end();
  for (std::promise<Status>& one : waits) EXPECT_TRUE(one.get_future().get().ok());
  std::promise<Status> again;
  lane.submit(10, told(again));
  EXPECT_TRUE(again.get_future().get().ok()) << "room is given back";
}

TEST(Lane, RefusesWhatWaitedForTooLong) {
  StandingClock clock;
  Lane lane(clock, {.threads = 1, .patience = Millis(50)});
  Standing first(lane);
  std::promise<Status> waits;
  lane.submit(1, told(waits));
  clock.advance(Millis(51));
  first.end();
  EXPECT_EQ(waits.get_future().get().error().kind, Error::Kind::kUnavailable);
}

TEST(Lane, RefusesWhatWaitsWhenItEnds) {
  const StandingClock clock;
  auto lane = std::make_unique<Lane>(clock, Lane::Limits{.threads = 1});
  Standing first(*lane);
  std::promise<Status> waits;
  lane->submit(1, told(waits));
  auto ending = std::async(std::launch::async, [&] { lane.reset(); });
  EXPECT_EQ(waits.get_future().get().error().kind, Error::Kind::kUnavailable);
  first.end();
  ending.get();
}

}  // namespace
}  // namespace reclaim::runtime
