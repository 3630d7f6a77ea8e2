#include "runtime/lane.hpp"

#include <utility>

namespace reclaim::runtime {

Lane::Lane(const Clock& clock, const Limits& limits) : clock_(clock), limits_(limits) {
  for (std::size_t i = 0; i < limits_.threads; ++i) threads_.emplace_back([this] { work(); });
}

Lane::~Lane() {
  std::deque<Waiting> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    left.swap(waiting_);
  }
  work_to_do_.notify_all();
  for (const Waiting& waiting : left) refuse(waiting.task, "the server stops");
  for (std::thread& thread : threads_) thread.join();
}

void Lane::submit(std::size_t bytes, Task task) {
  {
    const std::lock_guard lock(mutex_);
    const bool fits = !stopping_ && waiting_.size() < limits_.waiting_max && waiting_bytes_ + bytes <= limits_.waiting_bytes_max;
    if (fits) {
      waiting_.push_back({std::move(task), bytes, clock_.now()});
      waiting_bytes_ += bytes;
      work_to_do_.notify_one();
      return;
    }
  }
  refuse(task, "too many large requests wait already");
}

Lane::Counts Lane::counts() const {
  const std::lock_guard lock(mutex_);
  return {.running = running_, .waiting = waiting_.size(), .refused = refused_};
}

void Lane::refuse(const Task& task, const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    ++refused_;
  }
  task(unavailable(why + "; nothing happened, try again"));
}

void Lane::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_to_do_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= next.bytes;
    ++running_;
    lock.unlock();
    if (clock_.now() - next.since > limits_.patience) {
      refuse(next.task, "this large request waited for too long");
    } else {
      next.task(done());
    }
    next.task = nullptr;
    lock.lock();
    --running_;
  }
}

}  // namespace reclaim::runtime
