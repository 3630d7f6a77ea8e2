// The control plane: every use case behind every door (HTTP, gateway), the passes, and what wakes them.
//
// Doors decode, ask here, and encode. A use case is one call with typed values; it knows who acts (`actor`) and what time it is, runs
// the fleet's function in its transaction, and wakes the passes that its change feeds. Wakes are hints only: a pass that missed one
// runs on its period.
//
// Who may call: any thread. Nothing here starts a thread; the app runs tick(), run_pass() and serve_held() in loops of its own.
// A crash leaves what the database has; a held sync is answered by nobody and its worker comes again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/claims.hpp"
#include "agents/service_clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "fleet/collectors.hpp"
#include "fleet/context.hpp"
#include "fleet/sync.hpp"
#include "fleet/workers.hpp"
#include "ports/control_door.hpp"
#include "ports/database.hpp"
#include "wire/sync.hpp"

namespace reclaim::server {

struct ControlPlaneOptions {
  fleet::Policy policy;
  std::string holder;          // names this process among servers
  Millis claim_timeout{5000};  // 0: the only server there can be
  Millis event_retention{30LL * 24 * 3600 * 1000};
  std::int64_t event_max = 10'000'000;
};

// The pass that bounds the audit trail. It is no collector: it runs on its own period, also where collectors run only when asked.
inline constexpr std::string_view kTrimEvents = "trim-events";

// What one sync came to, for whoever measures. `outcome` is the error of a refused one.
using SyncObserver = std::function<void(const Result<fleet::SyncOutcome>& outcome, Millis took)>;

// What one pass did, for `gc run`.
struct PassOutcome {
  std::string pass;
  fleet::PassReport report;
  std::string error;  // empty: done
};

class ControlPlane {
 public:
  using SyncAnswered = std::function<void(Result<wire::SyncAnswer>)>;
  using Wake = std::function<void(std::string_view pass)>;

  ControlPlane(ports::Database& database, const Clock& clock, ControlPlaneOptions options);

  // First of all: makes the database's lineage if it has none, reads service time. Nothing else answers before this did.
  Status open(Random& random);

  // What wakes a pass's loop by its name, and "held-syncs". Set once, before loops start.
  void set_wake(Wake wake) { wake_ = std::move(wake); }

  // Told of every sync, on the thread that ran it. Set once, before doors open.
  void set_sync_observer(SyncObserver observer) { observer_ = std::move(observer); }

  // For use cases: the fleet's functions are called with this, and wake() after them.
  fleet::Context context(std::string actor) const;
  ports::Database& database() const { return database_; }
  const fleet::Policy& policy() const { return options_.policy; }

  // Changes that feed passes, as doors make them.
  void owner_changed() const { wake("mark-orphans"); }
  void resource_failed() const { wake("mark-failed"); }
  void resource_registered() const { wake("mark-orphans"); }
  void orders_changed(const std::string& worker);
  void worker_changed() const { wake("worker-lifecycle"); }

  // Answers when there is work or when request.wait_ms is over; a later sync of the worker ends it at once, without orders.
  void sync(const std::string& actor, const fleet::SyncCaller& caller, const wire::SyncRequest& request, SyncAnswered answered);

  // What a worker asks of its own life, known by its key.
  Result<fleet::Worker> call(const std::string& key, ports::WorkerCall call);

  // One step of service time; about every second. Failing is reported and harmless for kServiceGap.
  Status tick();
  // Why it does not serve: service time has not moved for a gap length, because the database is away.
  Status readiness() const;
  // One run of a collector, or kTrimEvents. A server that does not hold the claim does nothing and reports nothing.
  Result<fleet::PassReport> run_pass(std::string_view pass);
  // For an operator: the named collectors (empty: all), here and now, whoever held the claim. kInvalid names an unknown pass.
  Result<std::vector<PassOutcome>> run_now(const std::vector<std::string>& passes);
  // Names of all passes that a loop must run.
  static std::vector<std::string> pass_names();

  // Answers held syncs that have orders or whose time is over. Call when woken ("held-syncs") and every kHeldCheck.
  void serve_held();
  // Ends every held sync, without orders: the server stops.
  void release_held();
  std::size_t held() const;

 private:
  struct Held {
    std::string session;
    std::int64_t sequence = 0;
    Instant until;
    bool rung = false;
    wire::SyncAnswer quiet;
    SyncAnswered answered;
  };

  void wake(std::string_view pass) const;
  void hold(const WorkerName& worker, const wire::SyncRequest& request, const wire::SyncAnswer& quiet, SyncAnswered answered);
  void end_held(const std::string& worker);
  Result<fleet::PassReport> run_under(const fleet::Claim& claim, std::string_view pass);
  std::optional<fleet::Claim> claim() const;
  Status ring_workers_with_orders();

  ports::Database& database_;
  const Clock& clock_;
  ControlPlaneOptions options_;
  Wake wake_;
  SyncObserver observer_;

  mutable std::mutex clock_mutex_;
  agents::Claimant claimant_;
  agents::ServiceClock service_clock_;

  mutable std::mutex held_mutex_;
  std::map<std::string, Held> held_;
};

inline constexpr Millis kHeldCheck{250};

}  // namespace reclaim::server
