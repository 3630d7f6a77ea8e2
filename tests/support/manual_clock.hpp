// A clock that stands still until a test moves it, and randomness that repeats.
#pragma once

#include "base/time.hpp"

namespace reclaim::test {

class ManualClock : public Clock {
 public:
  Instant now() const override { return now_; }
  WallTime wall() const override { return wall_; }
  void advance(Millis by) {
    now_ = now_ + by;
    wall_ = wall_ + by;
  }
  void set_wall(WallTime wall) { wall_ = wall; }

 private:
  Instant now_{1'000};
  WallTime wall_{1'800'000'000'000};
};

class CountingRandom : public Random {
 public:
  std::uint64_t next() override { return state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL; }

 private:
  std::uint64_t state_ = 1;
};

}  // namespace reclaim::test
