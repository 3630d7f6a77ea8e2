// Levels that are read when somebody looks: what the database, the doors and the process hold just now.
#pragma once

#include "gateway/gateway.hpp"
#include "http/metrics.hpp"
#include "http/sync_desk.hpp"
#include "http/transport.hpp"
#include "server/archive_plane.hpp"
#include "server/control_plane.hpp"
#include "server/maintenance.hpp"

namespace reclaim::apps {

// What one sync came to.
void measure_sync(http::Metrics& metrics, const Result<fleet::SyncOutcome>& outcome, Millis took);

// What one run of a pass of the archive came to; what went wrong is logged, and so is what was done.
void measure_maintenance(http::Metrics& metrics, const std::string& pass, const Result<server::PassRun>& run, Millis took);

// What the gateway counts, wherever it runs.
void refresh_gateway(http::Metrics& metrics, const gateway::GatewayCounters& counts);

// Where the database does not answer, its levels stay as they were.
void refresh_metrics(http::Metrics& metrics, const server::ControlPlane& plane, const http::Transport& transport,
                     const gateway::Gateway& gateway, const http::SyncDesk& syncs);

// What waits in the archive's store, and who works on it. Reads all queues, and waits for a store that does not answer; its levels stay as
// they were.
void refresh_archive(http::Metrics& metrics, const server::ArchivePlane& archive);

}  // namespace reclaim::apps
