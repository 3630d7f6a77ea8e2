#include "apps/metrics_door.hpp"

#include "base/endpoint.hpp"
#include "runtime/descriptors.hpp"
#include "runtime/log.hpp"

namespace reclaim::apps {

Result<std::unique_ptr<http::Transport>> show_metrics(const std::string& where, http::MetricsService& service) {
  if (where.empty()) return std::unique_ptr<http::Transport>();
  const Endpoint listen = TRY(parse_endpoint(where, "metrics-listen"));
  auto transport = http::Transport::start(
      {.host = listen.host, .port = listen.port, .threads = 1, .descriptors_left = runtime::kLeftByMetrics}, service);
  if (!transport.ok()) return invalid("metrics-listen", transport.error().message);
  runtime::log_info("metrics on http://" + listen.host + ":" + std::to_string(transport.value()->port()) + "/metrics");
  return transport;
}

}  // namespace reclaim::apps
