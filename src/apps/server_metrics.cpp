#include "apps/server_metrics.hpp"

#include <algorithm>

#include "apps/maintenance_loops.hpp"
#include "archive/queue_list.hpp"
#include "fleet/census.hpp"

namespace reclaim::apps {

void measure_sync(http::Metrics& metrics, const Result<fleet::SyncOutcome>& outcome, Millis took) {
  using http::Metric;
  const auto seconds = [](Millis length) { return static_cast<double>(length.count()) / 1000.0; };
  metrics.observe(Metric::kSyncSeconds, {}, seconds(took));
  if (!outcome.ok()) {
    if (outcome.error().kind == Error::Kind::kFenced) metrics.add(Metric::kFencedTotal, {outcome.error().field});
    return;
  }
  for (const fleet::Gone& gone : outcome.value().gone) {
    metrics.add(Metric::kDestroyedTotal, {std::string(name_of(gone.kind)), gone.acknowledged ? "acknowledged" : "absent"});
    metrics.observe(Metric::kMarkToGoneSeconds, {}, seconds(gone.since_mark));
  }
  for (const fleet::Destroyed& destroyed : outcome.value().destroyed) {
    metrics.observe(Metric::kDestroySeconds, {std::string(name_of(destroyed.kind))}, seconds(destroyed.took));
  }
  for (const ResourceKind kind : kResourceKinds) {
    const std::int64_t failed = outcome.value().failed[kind];
    if (failed > 0) metrics.add(Metric::kDestroyedTotal, {std::string(name_of(kind)), "failed"}, static_cast<double>(failed));
  }
}

void measure_maintenance(http::Metrics& metrics, const std::string& pass, const Result<server::PassRun>& run, Millis took) {
  using http::Metric;
  metrics.observe(Metric::kPassSeconds, {pass}, static_cast<double>(took.count()) / 1000.0);
  log_maintenance(pass, run);
  if (!run.ok()) return metrics.add(Metric::kPassFailuresTotal, {pass});
  count_late(metrics, run.value().late);
  const auto add = [&](Metric metric, http::LabelValues labels, std::string_view what) {
    const std::uint64_t count = run.value().count(what);
    if (count > 0) metrics.add(metric, labels, static_cast<double>(count));
  };
  if (pass == server::kAgents) add(Metric::kTakeoversTotal, {}, "collected");
  if (pass == server::kCleanup) {
    for (const char* outcome : {"requeued", "failed", "ended"}) add(Metric::kCleanupRequestsTotal, {outcome}, outcome);
  }
  if (pass == server::kReports) {
    for (const char* outcome : {"receipts", "untold", "failed", "again"}) add(Metric::kReportsTotal, {outcome}, outcome);
  }
}

void count_late(http::Metrics& metrics, const agents::LateWrites& late) {
  for (const auto& [what, count] : late) metrics.add(http::Metric::kFencedTotal, {what}, static_cast<double>(count));
}

void refresh_store(http::Metrics& metrics, const server::CountedStore& store) {
  for (const auto& [call, count] : store.calls()) {
    metrics.raise_to(http::Metric::kStoreCallsTotal, {call.first, call.second}, static_cast<double>(count));
  }
}

void refresh_gateway(http::Metrics& metrics, const gateway::GatewayCounters& counts) {
  using http::Metric;
  const auto total = [](std::uint64_t count) { return static_cast<double>(count); };
  metrics.set(Metric::kGatewaySessions, {"authenticated"}, total(counts.sessions - std::min(counts.sessions, counts.unauthenticated)));
  metrics.set(Metric::kGatewaySessions, {"unauthenticated"}, total(counts.unauthenticated));
  metrics.raise_to(Metric::kGatewaySessionsTotal, {"accepted"}, total(counts.accepted));
  metrics.raise_to(Metric::kGatewaySessionsTotal, {"authenticated"}, total(counts.authenticated));
  for (const gateway::Refusal reason : gateway::kRefusals) {
    metrics.raise_to(Metric::kGatewayRefusedTotal, {std::string(name_of(reason))}, total(counts.refused[static_cast<std::size_t>(reason)]));
  }
  metrics.raise_to(Metric::kGatewayBytesTotal, {"in"}, total(counts.bytes_in));
  metrics.raise_to(Metric::kGatewayBytesTotal, {"out"}, total(counts.bytes_out));
}

void refresh_metrics(http::Metrics& metrics, const server::ControlPlane& plane, const http::Transport& transport,
                     const gateway::Gateway& gateway, const http::SyncDesk& syncs) {
  refresh_gateway(metrics, gateway.counters());
  const runtime::Lane::Counts large = syncs.large();
  metrics.set(http::Metric::kLargeSyncs, {"running"}, static_cast<double>(large.running));
  metrics.set(http::Metric::kLargeSyncs, {"waiting"}, static_cast<double>(large.waiting));
  metrics.raise_to(http::Metric::kLargeSyncsRefusedTotal, {}, static_cast<double>(large.refused));
  const http::Counts counts = transport.counts();
  metrics.set(http::Metric::kHttpConnections, {}, static_cast<double>(counts.open));
  metrics.raise_to(http::Metric::kHttpRequestsTotal, {}, static_cast<double>(counts.requests));
  metrics.raise_to(http::Metric::kHttpRefusedTotal, {"connection"}, static_cast<double>(counts.refused));
  metrics.raise_to(http::Metric::kHttpRefusedTotal, {"request"}, static_cast<double>(counts.shed));
  metrics.set(http::Metric::kSyncsHeld, {}, static_cast<double>(plane.held()));

  const Result<fleet::Census> census = fleet::take_census(plane.context("metrics"));
  if (!census.ok()) return;
  for (const fleet::ResourceCount& count : census.value().resources) {
    metrics.set(http::Metric::kResources, {std::string(name_of(count.kind)), std::string(name_of(count.state))},
                static_cast<double>(count.count));
  }
  for (const ResourceKind kind : kResourceKinds) {
    const Millis oldest = census.value().oldest_destroying[static_cast<std::size_t>(kind)];
    metrics.set(http::Metric::kOldestDestroyingSeconds, {std::string(name_of(kind))}, static_cast<double>(oldest.count()) / 1000.0);
  }
  for (const fleet::WorkerCount& count : census.value().workers) {
    metrics.set(http::Metric::kWorkers, {std::string(name_of(count.state))}, static_cast<double>(count.count));
  }
  metrics.set(http::Metric::kUnaccounted, {"fleet"}, static_cast<double>(census.value().unaccounted));
}

void refresh_archive(http::Metrics& metrics, ports::ObjectStore& store, const server::Watched& watched) {
  const Result<archive::RequestsByType> requests = archive::count_all_requests(store);
  if (!requests.ok()) return;
  for (const archive::QueueType type : archive::kQueueTypes) {
    const std::uint64_t count = requests.value().at(static_cast<std::size_t>(type));
    metrics.set(http::Metric::kQueueRequests, {std::string(name_of(type))}, static_cast<double>(count));
  }
  const Result<std::vector<server::ListedAgent>> agents = server::list_agents(store, watched, "");
  if (!agents.ok()) return;
  for (const server::AgentState state : server::kAgentStates) {
    const auto count = std::ranges::count(agents.value(), state, &server::ListedAgent::state);
    metrics.set(http::Metric::kAgents, {std::string(name_of(state))}, static_cast<double>(count));
  }
}

}  // namespace reclaim::apps
