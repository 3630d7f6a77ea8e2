// Levels that are read when somebody looks: what the database, the doors and the process hold just now.
#pragma once

#include "gateway/gateway.hpp"
#include "http/metrics.hpp"
#include "http/sync_desk.hpp"
#include "http/transport.hpp"
#include "server/agent_list.hpp"
#include "server/control_plane.hpp"
#include "server/counted_store.hpp"
#include "server/maintenance.hpp"

namespace reclaim::apps {

// What one sync came to.
void measure_sync(http::Metrics& metrics, const Result<fleet::SyncOutcome>& outcome, Millis took);

// What one run of a pass of the archive came to; what went wrong is logged, and so is what was done.
void measure_maintenance(http::Metrics& metrics, const std::string& pass, const Result<server::PassRun>& run, Millis took);

// Writes of an agent that was collected, which were refused.
void count_late(http::Metrics& metrics, const agents::LateWrites& late);

void refresh_store(http::Metrics& metrics, const server::CountedStore& store);

// What the gateway counts, wherever it runs.
void refresh_gateway(http::Metrics& metrics, const gateway::GatewayCounters& counts);

// Where the database does not answer, its levels stay as they were.
void refresh_metrics(http::Metrics& metrics, const server::ControlPlane& plane, const http::Transport& transport,
                     const gateway::Gateway& gateway, const http::SyncDesk& syncs);

// What waits in the archive's store, and who works on it as far as this process watches. Reads all queues, and waits for a store that does
// not answer; its levels stay as they were.
void refresh_archive(http::Metrics& metrics, ports::ObjectStore& store, const server::Watched& watched);

}  // namespace reclaim::apps
