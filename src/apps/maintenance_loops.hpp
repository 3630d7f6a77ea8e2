// The archive's passes of a process, each in a loop of its own so that none waits for another, and the beat of their agents in one more.
//
// Runs wake each other: what the dead had reserved is free for cleanups, what they were telling for reports, and what a cleanup found no
// other tape for is to be told.
//
// Who may call: any thread wakes; the app's starts and stops. Stopping gives back what is in hand. A crash leaves agents to be collected.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "runtime/loop.hpp"
#include "server/maintenance.hpp"

namespace reclaim::apps {

struct MaintenancePeriods {
  std::optional<Millis> interval;  // of the passes; nothing: only when asked
  Millis heartbeat{1000};
  Millis agent_timeout{5000};
};

class MaintenanceLoops {
 public:
  // `told` of every run, whoever asked for it, on the thread that ran it. `beat_too`: what else of this process has an agent that beats.
  MaintenanceLoops(server::Maintenance& maintenance, const Clock& clock, server::Maintenance::Observer told,
                   std::function<void()> beat_too = {});
  ~MaintenanceLoops() { stop(); }

  void start(const MaintenancePeriods& periods);
  // A hint, for what the period would find anyway.
  void wake(std::string_view pass);
  // Waits for the passes at hand, gives back what is in hand, and leaves. What cannot be given back is left to a collector.
  void stop();

 private:
  std::optional<Millis> run(const std::string& pass, Millis period);
  void pass_on(const std::string& pass, const Result<server::PassRun>& run);

  server::Maintenance& maintenance_;
  const Clock& clock_;
  const std::function<void()> beat_too_;
  std::unique_ptr<runtime::Loop> heart_;
  std::mutex mutex_;  // of the map, not of the passes
  std::map<std::string, std::unique_ptr<runtime::Loop>, std::less<>> loops_;
};

// What a run did, and what went wrong with it.
void log_maintenance(const std::string& pass, const Result<server::PassRun>& run);

}  // namespace reclaim::apps
