#include "runtime/loop.hpp"

#include <algorithm>
#include <utility>

namespace reclaim::runtime {
namespace {

// How long a wait lasts at most before the clock is looked at again.
constexpr Millis kLookMax{1000};

}  // namespace

Loop::Loop(const Clock& clock, Pass pass) : clock_(clock), pass_(std::move(pass)), due_(clock.now()) {
  thread_ = std::jthread([this](const std::stop_token& stopping) { run(stopping); });
}

Loop::Loop(const Clock& clock, std::optional<Millis> period, std::function<void(const std::stop_token&)> pass)
    : clock_(clock), pass_([period, pass = std::move(pass)](const std::stop_token& stopping) { return pass(stopping), period; }) {
  if (period) due_ = clock.now();
  thread_ = std::jthread([this](const std::stop_token& stopping) { run(stopping); });
}

Loop::~Loop() {
  thread_.request_stop();
  thread_.join();
}

void Loop::wake(Millis within) {
  const Instant wanted = clock_.now() + within;
  {
    const std::lock_guard lock(mutex_);
    if (due_ && *due_ <= wanted) return;
    due_ = wanted;
  }
  changed_.notify_all();
}

bool Loop::wait_ended(Millis patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return ended_; });
}

void Loop::run(const std::stop_token& stopping) {
  run_passes(stopping);
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

void Loop::run_passes(const std::stop_token& stopping) {
  for (;;) {
    wait_until_due(stopping);
    if (stopping.stop_requested()) return;
    if (const std::optional<Millis> pause = pass_(stopping)) wake(*pause);
  }
}

// Leaves with nothing due, so that whatever wakes from now on is about the pass after the one that starts.
void Loop::wait_until_due(const std::stop_token& stopping) {
  std::unique_lock lock(mutex_);
  while (!stopping.stop_requested()) {
    const Instant now = clock_.now();
    if (due_ && *due_ <= now) {
      due_.reset();
      return;
    }
    const std::optional<Instant> before = due_;
    changed_.wait_for(lock, stopping, due_ ? std::min(*due_ - now, kLookMax) : kLookMax, [&] { return due_ != before; });
  }
}

}  // namespace reclaim::runtime
