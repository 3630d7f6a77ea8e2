#include "http/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <mutex>
#include <span>
#include <variant>
#include <vector>

#include "base/check.hpp"

namespace reclaim::http {
namespace {

enum class Type { kGauge, kCounter, kHistogram };

struct Described {
  Metric metric;
  Type type;
  const char* name;
  const char* help;
  std::array<const char*, 2> labels;  // in place of those that it lacks: null

  std::span<const char* const> label_names() const { return {labels.begin(), std::ranges::find(labels, nullptr)}; }
};

constexpr Described kDescribed[] = {
    {Metric::kResources, Type::kGauge, "reclaim_resources", "Containers and volumes known, by state.", {"kind", "state"}},
    {Metric::kOldestDestroyingSeconds,
     Type::kGauge,
     "reclaim_oldest_destroying_seconds",
     "Age of the oldest mark that no worker has confirmed.",
     {"kind"}},
    {Metric::kSyncSeconds, Type::kHistogram, "reclaim_sync_seconds", "Time to apply a sync, without the time that it was held.", {}},
    {Metric::kSyncBytesTotal, Type::kCounter, "reclaim_sync_bytes_total", "Bytes of sync bodies.", {"direction"}},
    {Metric::kDestroyedTotal, Type::kCounter, "reclaim_destroyed_total", "Ends of orders to destroy.", {"kind", "result"}},
    {Metric::kDestroySeconds, Type::kHistogram, "reclaim_destroy_seconds", "From an order sent to its acknowledgement.", {"kind"}},
    {Metric::kMarkToGoneSeconds, Type::kHistogram, "reclaim_mark_to_gone_seconds", "From a mark to the row's end.", {}},
    {Metric::kWorkers, Type::kGauge, "reclaim_workers", "Workers, by state.", {"state"}},
    {Metric::kPassSeconds, Type::kHistogram, "reclaim_pass_seconds", "Time that a pass took.", {"pass"}},
    {Metric::kPassFailuresTotal, Type::kCounter, "reclaim_pass_failures_total", "Passes that failed, and run again.", {"pass"}},
    {Metric::kPassChangedTotal, Type::kCounter, "reclaim_pass_changed_total", "Rows that passes changed.", {"pass"}},
    {Metric::kFencedTotal,
     Type::kCounter,
     "reclaim_fenced_total",
     "Syncs, passes and writes refused because somebody newer acts.",
     {"what"}},
    {Metric::kUnaccounted, Type::kGauge, "reclaim_unaccounted", "What conservation (C1) misses; 0 when quiet.", {"plane"}},
    {Metric::kQueueRequests, Type::kGauge, "reclaim_queue_requests", "Requests in the archive's queues, by type of queue.", {"type"}},
    {Metric::kAgents, Type::kGauge, "reclaim_agents", "Processes that the archive's store knows, by state.", {"state"}},
    {Metric::kTakeoversTotal, Type::kCounter, "reclaim_takeovers_total", "Agents that were collected by this process.", {}},
    {Metric::kCleanupRequestsTotal,
     Type::kCounter,
     "reclaim_cleanup_requests_total",
     "Requests that cleanups took from queues of tapes out of service, by what became of them.",
     {"outcome"}},
    {Metric::kReportsTotal, Type::kCounter, "reclaim_reports_total", "Requests of which the reports pass told, or tried to.", {"outcome"}},
    {Metric::kStoreCallsTotal,
     Type::kCounter,
     "reclaim_store_calls_total",
     "Calls to the archive's object store, by what came of them.",
     {"op", "result"}},
    {Metric::kDriveMountsTotal, Type::kCounter, "reclaim_drive_mounts_total", "Tapes that this drive has mounted.", {}},
    {Metric::kDriveTape, Type::kGauge, "reclaim_drive_tape", "1 with the tape that is mounted, or 0 without any.", {"vid"}},
    {Metric::kDriveFilesTotal,
     Type::kCounter,
     "reclaim_drive_files_total",
     "Tries to copy a file from tape to the buffer, by what came of them.",
     {"result"}},
    {Metric::kDriveBytesTotal, Type::kCounter, "reclaim_drive_bytes_total", "Bytes copied from tape, whatever became of them.", {}},
    {Metric::kDriveRequestsTotal,
     Type::kCounter,
     "reclaim_drive_requests_total",
     "Requests that mounts were done with, by what became of them.",
     {"outcome"}},
    {Metric::kSyncsHeld, Type::kGauge, "reclaim_syncs_held", "Syncs whose answer waits for work.", {}},
    {Metric::kInventoriesTotal, Type::kCounter, "reclaim_inventories_total", "Inventories that syncs brought, of one kind each.", {"form"}},
    {Metric::kLargeSyncs, Type::kGauge, "reclaim_large_syncs", "Large syncs that run, or wait for their turn.", {"state"}},
    {Metric::kLargeSyncsRefusedTotal, Type::kCounter, "reclaim_large_syncs_refused_total", "Large syncs for which there was no turn.", {}},
    {Metric::kHttpConnections, Type::kGauge, "reclaim_http_connections", "Open HTTP connections.", {}},
    {Metric::kHttpRequestsTotal, Type::kCounter, "reclaim_http_requests_total", "HTTP requests handed to the service.", {}},
    {Metric::kHttpRefusedTotal,
     Type::kCounter,
     "reclaim_http_refused_total",
     "Connections and requests refused for want of room.",
     {"what"}},
    {Metric::kGatewaySessions, Type::kGauge, "reclaim_gateway_sessions", "SSH sessions.", {"state"}},
    {Metric::kGatewaySessionsTotal, Type::kCounter, "reclaim_gateway_sessions_total", "SSH connections taken, and logins.", {"what"}},
    {Metric::kGatewayRefusedTotal, Type::kCounter, "reclaim_gateway_refused_total", "SSH sessions and logins refused.", {"reason"}},
    {Metric::kGatewayBytesTotal, Type::kCounter, "reclaim_gateway_bytes_total", "Bytes of SSH sessions on the wire.", {"direction"}},
};

const prometheus::Histogram::BucketBoundaries& buckets() {
  static const prometheus::Histogram::BucketBoundaries kSeconds = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5,  1,
                                                                   2,     5,     10,    30,   60,   120,  300, 600, 1800, 3600};
  return kSeconds;
}

}  // namespace

class Metrics::Impl {
 public:
  struct Member {
    const Described& described;
    std::variant<prometheus::Family<prometheus::Gauge>*, prometheus::Family<prometheus::Counter>*,
                 prometheus::Family<prometheus::Histogram>*>
        family;
  };

  Impl() {
    for (const Described& one : kDescribed) members_.emplace(one.metric, Member{one, make_family(one)});
  }

  template <class T>
  prometheus::Family<T>& family(Metric metric) {
    auto* const* found = std::get_if<prometheus::Family<T>*>(&members_.at(metric).family);
    check(found != nullptr, "a metric used as another type than its own");
    return **found;
  }

  prometheus::Labels labels(Metric metric, LabelValues values) const {
    const std::span<const char* const> names = members_.at(metric).described.label_names();
    check(values.size() == names.size(), "as many label values as the metric has labels");
    prometheus::Labels labelled;
    auto value = values.begin();
    for (const char* name : names) labelled.emplace(name, *value++);
    return labelled;
  }

  void set_only(Metric metric, LabelValues values, double level) {
    const std::lock_guard lock(mutex_);
    prometheus::Family<prometheus::Gauge>& all = family<prometheus::Gauge>(metric);
    prometheus::Gauge& shown = all.Add(labels(metric, values));
    shown.Set(level);
    prometheus::Gauge*& only = only_[metric];
    if (only != nullptr && only != &shown) all.Remove(only);
    only = &shown;
  }

  std::string text() const { return prometheus::TextSerializer().Serialize(registry_.Collect()); }

 private:
  decltype(Member::family) make_family(const Described& one) {
    switch (one.type) {
      case Type::kGauge: return &prometheus::BuildGauge().Name(one.name).Help(one.help).Register(registry_);
      case Type::kCounter: return &prometheus::BuildCounter().Name(one.name).Help(one.help).Register(registry_);
      case Type::kHistogram: return &prometheus::BuildHistogram().Name(one.name).Help(one.help).Register(registry_);
    }
    check(false, "unknown metric type");
    return {};
  }

  prometheus::Registry registry_;
  std::map<Metric, Member> members_;
  std::mutex mutex_;  // of what follows
  std::map<Metric, prometheus::Gauge*> only_;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::set(Metric gauge, LabelValues labels, double level) {
  impl_->family<prometheus::Gauge>(gauge).Add(impl_->labels(gauge, labels)).Set(level);
}

void Metrics::set_only(Metric gauge, LabelValues labels, double level) { impl_->set_only(gauge, labels, level); }

void Metrics::add(Metric counter, LabelValues labels, double by) {
  impl_->family<prometheus::Counter>(counter).Add(impl_->labels(counter, labels)).Increment(by);
}

void Metrics::raise_to(Metric counter, LabelValues labels, double total) {
  prometheus::Counter& counted = impl_->family<prometheus::Counter>(counter).Add(impl_->labels(counter, labels));
  counted.Increment(total - counted.Value());  // a negative step is ignored
}

void Metrics::observe(Metric histogram, LabelValues labels, double seconds) {
  impl_->family<prometheus::Histogram>(histogram).Add(impl_->labels(histogram, labels), buckets()).Observe(seconds);
}

std::string Metrics::text() const { return impl_->text(); }

void MetricsService::handle(Call call, std::function<void(Reply)> answer) {
  if (call.segments != std::vector<std::string>{"metrics"}) return answer(problem_reply(not_found("only /metrics is here")));
  if (call.method != "GET" && call.method != "HEAD") return answer(method_not_allowed_reply({"GET", "HEAD"}));
  refresh_();
  answer({.body = metrics_.text(), .content_type = kMetricsContentType});
}

}  // namespace reclaim::http
