// A lane for tasks that are large: few run at once, so that what is small stays quick beside them. The others wait in line, first come,
// first served; how many wait, how many bytes they hold and how long they wait is bounded.
//
// Who may call: any thread. The destructor refuses what waits and returns when nothing runs.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace reclaim::runtime {

class Lane {
 public:
  struct Limits {
    std::size_t threads = 2;
    std::size_t waiting_max = 1024;
    std::size_t waiting_bytes_max = std::size_t{256} << 20;
    Millis patience{10'000};  // whoever waited for longer is refused when its turn comes: it may have given up, and has to ask anew
  };
  struct Counts {
    std::size_t running = 0;
    std::size_t waiting = 0;
    std::uint64_t refused = 0;
  };
  // Called exactly once: with done() on a thread of the lane when its turn has come, or with kUnavailable, which may be at once.
  using Task = std::function<void(const Status& turn)>;

  Lane(const Clock& clock, const Limits& limits);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // `bytes` is what the task holds while it waits.
  void submit(std::size_t bytes, Task task);
  Counts counts() const;

 private:
  struct Waiting {
    Task task;
    std::size_t bytes;
    Instant since;
  };

  void work();
  void refuse(const Task& task, const std::string& why);

  const Clock& clock_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable work_to_do_;
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::size_t running_ = 0;
  std::uint64_t refused_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace reclaim::runtime
