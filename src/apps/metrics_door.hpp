// Where Prometheus asks a process that has no other HTTP door.
#pragma once

#include <memory>
#include <string>

#include "http/metrics.hpp"
#include "http/transport.hpp"

namespace reclaim::apps {

inline constexpr const char* kMetricsListenHelp = "HOST:PORT of metrics for Prometheus; without it there are none";

// The listener, which is told in the log; nothing where `where` is empty. kInvalid, field `metrics-listen`.
Result<std::unique_ptr<http::Transport>> show_metrics(const std::string& where, http::MetricsService& service);

}  // namespace reclaim::apps
