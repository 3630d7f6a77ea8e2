// Every metric there is, by name, and the small service that shows them. Gauges are levels, counters only grow.
//
// The table in metrics.cpp is the one list: names, help and label names. A value is given with its label values in the order of that
// list; label values come from small fixed sets, never from what a stranger sent. The one that names a tape has one value at a time.
//
// Who may call: any thread.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>

#include "http/service.hpp"

namespace reclaim::http {

enum class Metric {
  kResources,                // gauge: kind, state
  kOldestDestroyingSeconds,  // gauge: kind
  kSyncSeconds,              // histogram
  kSyncBytesTotal,           // counter: direction (in, out)
  kDestroyedTotal,           // counter: kind, result (acknowledged, absent, failed)
  kDestroySeconds,           // histogram: kind
  kMarkToGoneSeconds,        // histogram
  kWorkers,                  // gauge: state
  kPassSeconds,              // histogram: pass
  kPassFailuresTotal,        // counter: pass
  kPassChangedTotal,         // counter: pass
  kFencedTotal,              // counter: what (sequence, session, lineage; agents/refusals.hpp: LateWrites)
  kUnaccounted,              // gauge: plane
  kQueueRequests,            // gauge: type
  kAgents,                   // gauge: state
  kTakeoversTotal,           // counter
  kCleanupRequestsTotal,     // counter: outcome (requeued, failed, ended)
  kReportsTotal,             // counter: outcome (receipts, untold, failed, again)
  kStoreCallsTotal,          // counter: op, result (server/counted_store.hpp)
  kDriveMountsTotal,         // counter
  kDriveTape,                // gauge: vid
  kDriveFilesTotal,          // counter: result (drive/transfer.hpp: Came)
  kDriveBytesTotal,          // counter
  kDriveRequestsTotal,       // counter: outcome (delivered, failed, elsewhere, cancelled)
  kSyncsHeld,                // gauge
  kInventoriesTotal,         // counter: form (full, delta)
  kLargeSyncs,               // gauge: state (running, waiting)
  kLargeSyncsRefusedTotal,   // counter
  kHttpConnections,          // gauge
  kHttpRequestsTotal,        // counter
  kHttpRefusedTotal,         // counter: what (connection, request)
  kGatewaySessions,          // gauge: state (authenticated, unauthenticated)
  kGatewaySessionsTotal,     // counter: what (accepted, authenticated)
  kGatewayRefusedTotal,      // counter: reason (gateway/gateway.hpp: Refusal)
  kGatewayBytesTotal,        // counter: direction (in, out)
};

using LabelValues = std::initializer_list<std::string>;

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void set(Metric gauge, LabelValues labels, double level);
  // The same, and what was set_only() before is shown no more.
  void set_only(Metric gauge, LabelValues labels, double level);
  void add(Metric counter, LabelValues labels, double by = 1);
  // A counter that somebody else counts: raised to `total`, never lowered.
  void raise_to(Metric counter, LabelValues labels, double total);
  void observe(Metric histogram, LabelValues labels, double seconds);

  // All of them in Prometheus' text format 0.0.4.
  std::string text() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

inline constexpr const char* kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

// Answers GET /metrics and nothing else. `refresh` brings the levels up to date first; where it fails, the levels of before are shown.
class MetricsService : public Service {
 public:
  MetricsService(const Metrics& metrics, std::function<void()> refresh) : metrics_(metrics), refresh_(std::move(refresh)) {}
  void handle(Call call, std::function<void(Reply)> answer) override;

 private:
  const Metrics& metrics_;
  std::function<void()> refresh_;
};

}  // namespace reclaim::http
