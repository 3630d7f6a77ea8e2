// The archive's passes of one process: `agents` collects the dead and sweeps, `cleanup` empties queues of tapes out of service, `reports`
// tells requesters. Any number of processes run them side by side.
//
// Each pass is an agent of its own, so that what one is at delays no other (A6) and a pass that stands still is collected without the
// others. Whoever was collected is told at its next write, stops, drops everything and registers again with the next run.
//
// Who may call: any thread. One run of a pass at a time: a second waits for the first. Nothing here starts a thread or reads a clock of its
// own: the app runs the passes in loops, and beat() in another, every `--agent-heartbeat`. A crash leaves agents that others collect.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/membership.hpp"
#include "agents/takeover.hpp"
#include "archive/context.hpp"
#include "archive/hand.hpp"
#include "base/time.hpp"
#include "ports/database.hpp"
#include "ports/object_store.hpp"
#include "server/agent_list.hpp"

namespace reclaim::server {

inline constexpr std::string_view kAgents = "agents";
inline constexpr std::string_view kCleanup = "cleanup";
inline constexpr std::string_view kReports = "reports";

// What one run of a pass did.
struct PassRun {
  std::string pass;
  std::vector<std::pair<std::string_view, std::uint64_t>> counts = {};  // `finished`: 2
  bool more = false;                                                    // a budget stopped it
  std::vector<std::string> problems = {};
  std::string error = {};  // why it could not be done; empty: done
  // What the pass's former agent was refused after it had been collected.
  agents::LateWrites late = {};
  // Something may still become the agent's when nobody expects it: it is given up to a collector, and the next run has a new one.
  bool gives_up = false;

  std::uint64_t count(std::string_view what) const;
};

// One pass under an agent of its own.
class ArchivePass {
 public:
  // `name` and `kind` as people see the agent.
  ArchivePass(ports::ObjectStore& store, const std::string& name, std::string kind)
      : store_(store), membership_(store, name, std::move(kind)) {}
  virtual ~ArchivePass() = default;
  ArchivePass(const ArchivePass&) = delete;
  ArchivePass& operator=(const ArchivePass&) = delete;

  virtual std::string_view name() const = 0;
  // kFenced: the agent was collected; the next run begins anew. Else the errors of the pass.
  Result<PassRun> run(const std::string& actor);
  Status beat() { return membership_.beat(); }
  // The graceful end: gives back what is in hand and leaves. What cannot be given back is left to a collector.
  Status stop();

 protected:
  // Everything under this agent; what was under a former one is dropped. The hand lives until the next.
  virtual void begin(archive::Hand& hand, const std::shared_ptr<agents::Agent>& agent) = 0;
  virtual Result<PassRun> work(const std::string& actor) = 0;
  virtual Status give_back() = 0;

  ports::ObjectStore& store() const { return store_; }

 private:
  Result<PassRun> run_joined(const std::string& actor);

  ports::ObjectStore& store_;
  agents::Membership membership_;
  std::mutex mutex_;                      // of what follows: one run at a time
  std::shared_ptr<agents::Agent> agent_;  // whom the hand is of
  std::unique_ptr<archive::Hand> hand_;
  agents::LateWrites late_;  // not told yet
};

struct MaintenanceOptions {
  std::string process = "server";        // agents are `server-agents`, `server-cleanup`; those of several processes may be equal
  std::vector<std::string> passes = {};  // empty: all
  Millis agent_timeout{5000};
  Millis sweep_period{10'000};  // how often the agents' pass sweeps, too
};

class Maintenance {
 public:
  Maintenance(ports::Database& database, ports::ObjectStore& store, const Clock& clock, const MaintenanceOptions& options);
  ~Maintenance();

  // What a pass does with the hand of its agent; `context` as it is at the moment of each call. What an error leaves in the hand it gives
  // back with the next run (archive/estate.hpp).
  using Contexts = std::function<archive::Context()>;
  using Work = std::function<Result<PassRun>(const Contexts& context, archive::Hand&, agents::Estate&)>;
  // One that is not made here, where the options want it. Before anything runs.
  void add(std::string_view name, Work work);
  // Told of every run, whoever asked for it, on the thread that ran it. Before anything runs.
  using Observer = std::function<void(const std::string& pass, const Result<PassRun>& run, Millis took)>;
  void set_observer(Observer observer) { observer_ = std::move(observer); }

  std::vector<std::string> names() const;
  // One pass; the name is one of names().
  Result<PassRun> run(std::string_view pass, const std::string& actor) const;
  // For an operator: these (empty: all), one after the other; what one cannot do hinders no other. kInvalid names an unknown pass.
  Result<std::vector<PassRun>> run_now(const std::vector<std::string>& passes, const std::string& actor) const;

  // Every agent of this process beats. Errors: the first; the others have beaten.
  Status beat() const;
  // After no pass runs any more.
  Status stop() const;
  // What the agents' pass saw when it looked last; nothing where there is none.
  Watched watched() const;

  // Also of those that others add.
  static std::vector<std::string> all_names();

 private:
  class AgentsPass;
  class HandPass;

  bool is_wanted(std::string_view pass) const;
  ArchivePass* find(std::string_view pass) const;
  Result<PassRun> run_observed(ArchivePass& pass, const std::string& actor) const;

  ports::Database& database_;
  ports::ObjectStore& store_;
  const Clock& clock_;
  const MaintenanceOptions options_;
  std::vector<std::unique_ptr<ArchivePass>> passes_;
  AgentsPass* watcher_ = nullptr;
  Observer observer_;
};

}  // namespace reclaim::server
