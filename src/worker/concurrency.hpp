// How many destroys of a kind run at once: at most as many as was configured, fewer while more of them only make each slower or fail.
//
// Additive increase, multiplicative decrease (decision 013). The last outcomes are looked at a window at a time. When most of a window
// failed, the limit is halved; when its median took far longer than what is usual here, it loses a quarter; else it grows by one. It is
// never below 1. What is usual follows what happens, down at once and up slowly, so that work which is heavy by itself is taken for
// usual after a while.
//
// Only a handle's first attempt counts: one that failed before says something about itself and nothing about the machine.
// Pure. Who may call: one thread at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/time.hpp"

namespace reclaim::worker {

class ConcurrencyLimit {
 public:
  explicit ConcurrencyLimit(std::size_t max) : max_(max), limit_(max) {}

  void succeeded(Millis took);
  void failed();
  std::size_t limit() const { return limit_; }

 private:
  void judge_full_window();
  bool is_slow();

  std::size_t max_;
  std::size_t limit_;
  std::vector<Millis> took_;  // of this window's successes
  std::size_t failures_ = 0;  // of this window
  std::optional<Millis> usual_;
};

}  // namespace reclaim::worker
