#include "runtime/bounded_pool.hpp"

namespace reclaim::runtime {

BoundedPool::~BoundedPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_to_do_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool BoundedPool::try_submit(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (busy_ == threads_max_) return false;
  hand_over(std::move(task));
  return true;
}

void BoundedPool::submit(std::function<void()> task) {
  std::unique_lock lock(mutex_);
  finished_.wait(lock, [this] { return busy_ < threads_max_; });
  hand_over(std::move(task));
}

void BoundedPool::hand_over(std::function<void()> task) {
  if (busy_ == threads_.size()) threads_.emplace_back([this] { work(); });
  ++busy_;
  taken_.push_back(std::move(task));
  work_to_do_.notify_one();
}

std::size_t BoundedPool::busy() const {
  const std::lock_guard lock(mutex_);
  return busy_;
}

bool BoundedPool::wait_idle(Millis patience) {
  std::unique_lock lock(mutex_);
  return finished_.wait_for(lock, patience, [this] { return busy_ == 0; });
}

void BoundedPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_to_do_.wait(lock, [this] { return stopping_ || !taken_.empty(); });
    if (taken_.empty()) return;
    std::function<void()> task = std::move(taken_.front());
    taken_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
    --busy_;
    finished_.notify_all();
  }
}

}  // namespace reclaim::runtime
