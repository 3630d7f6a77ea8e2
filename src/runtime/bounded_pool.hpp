// At most so many threads, each doing one task at a time. No queue: a task that is taken runs at once, so whoever submits knows what
// is running and decides what waits.
//
// Who may call: any thread. The destructor waits for the running tasks; who cannot wait for them ends the process instead.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace reclaim::runtime {

class BoundedPool {
 public:
  explicit BoundedPool(std::size_t threads_max) : threads_max_(threads_max) {}
  ~BoundedPool();
  BoundedPool(const BoundedPool&) = delete;
  BoundedPool& operator=(const BoundedPool&) = delete;

  // False when all threads are busy. Threads are made as they are needed and kept.
  bool try_submit(std::function<void()> task);
  // Waits while all threads are busy.
  void submit(std::function<void()> task);
  std::size_t busy() const;
  // True when nothing runs any more, false when that took longer than `patience`.
  bool wait_idle(Millis patience);

 private:
  void work();
  void hand_over(std::function<void()> task);  // with the lock held

  const std::size_t threads_max_;
  mutable std::mutex mutex_;
  std::condition_variable work_to_do_;
  std::condition_variable finished_;
  std::deque<std::function<void()>> taken_;  // at most as many as threads are free
  std::size_t busy_ = 0;                     // running or taken
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

// What the tasks hand back, for the one who waits.
template <class T>
class ResultQueue {
 public:
  void push(T result) {
    {
      const std::lock_guard lock(mutex_);
      results_.push_back(std::move(result));
    }
    ready_.notify_one();
  }

  // Ends the present wait, or the next one, empty-handed.
  void wake() {
    {
      const std::lock_guard lock(mutex_);
      woken_ = true;
    }
    ready_.notify_one();
  }

  // All there is, as soon as there is any; nothing after `patience` or when woken.
  std::vector<T> wait(Millis patience) {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, patience, [this] { return woken_ || !results_.empty(); });
    woken_ = false;
    return std::exchange(results_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::vector<T> results_;
  bool woken_ = false;
};

}  // namespace reclaim::runtime
