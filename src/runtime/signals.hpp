// Signals as calls on one ordinary thread, where locks may be taken and memory allocated.
//
// Make it before any other thread starts: the signals it names are blocked in the calling thread and in all threads made after. They
// stay blocked when it is gone. SIGPIPE is ignored from then on: a broken connection is an error of the call that met it.
#pragma once

#include <functional>
#include <thread>
#include <vector>

namespace reclaim::runtime {

class Signals {
 public:
  // `on_signal` runs on the signal thread, one signal at a time.
  Signals(const std::vector<int>& numbers, std::function<void(int number)> on_signal);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  void watch();

  std::function<void(int)> on_signal_;
  int signal_fd_;
  int stop_fd_;
  std::thread thread_;
};

}  // namespace reclaim::runtime
