// Threads that ask the door, and the calls that wait for one. What waits is bounded by whoever submits: a session has at most a few
// questions open. (runtime::BoundedPool takes nothing while it is busy; here a call has to be kept until its turn.)
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace reclaim::gateway {

class CallPool {
 public:
  explicit CallPool(std::size_t threads);
  ~CallPool();  // drops what waits, returns when nothing runs
  CallPool(const CallPool&) = delete;
  CallPool& operator=(const CallPool&) = delete;

  void submit(std::function<void()> call);  // first come, first served

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable work_to_do_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace reclaim::gateway
