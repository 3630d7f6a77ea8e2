// Runs one pass again and again, never two at once: every period, and sooner when woken. A wake-up during a pass makes another pass
// follow it, so no hint is lost; many of them make one.
//
// Who may call: any thread, also the pass itself. The destructor asks the pass to stop and waits for it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/time.hpp"

namespace reclaim::runtime {

class Loop {
 public:
  // One pass. Says how long to wait for the next; nothing means until woken.
  using Pass = std::function<std::optional<Millis>(const std::stop_token&)>;

  // The first pass starts at once.
  Loop(const Clock& clock, Pass pass);
  // The same period after every pass; nothing means only when woken, the first pass included.
  Loop(const Clock& clock, std::optional<Millis> period, std::function<void(const std::stop_token&)> pass);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // The next pass starts `within` this long, or sooner if it is due sooner.
  void wake(Millis within = Millis(0));
  // No pass starts any more. Does not wait.
  void stop() { thread_.request_stop(); }
  // After stop(): true when the pass at hand ended within `patience`.
  bool wait_ended(Millis patience);

 private:
  void run(const std::stop_token& stopping);
  void run_passes(const std::stop_token& stopping);
  void wait_until_due(const std::stop_token& stopping);

  const Clock& clock_;
  const Pass pass_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Instant> due_;
  bool ended_ = false;
  std::jthread thread_;
};

}  // namespace reclaim::runtime
