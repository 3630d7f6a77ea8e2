#include "http/metrics.hpp"

#include <gtest/gtest.h>

#include "http/transport.hpp"
#include "unit/http/raw_client.hpp"

namespace reclaim::http {
namespace {

TEST(Metrics, ShowsEveryValueUnderItsNameAndLabels) {
  Metrics metrics;
  metrics.set(Metric::kResources, {"container", "created"}, 3);
  metrics.set(Metric::kResources, {"container", "created"}, 2);
  metrics.add(Metric::kDestroyedTotal, {"volume", "acknowledged"});
  metrics.add(Metric::kDestroyedTotal, {"volume", "acknowledged"}, 4);
  metrics.raise_to(Metric::kHttpRequestsTotal, {}, 9);
  metrics.raise_to(Metric::kHttpRequestsTotal, {}, 7);
  metrics.observe(Metric::kSyncSeconds, {}, 0.003);
  const std::string text = metrics.text();
  for (const char* line : {"# TYPE reclaim_resources gauge", "reclaim_resources{kind=\"container\",state=\"created\"} 2",
                           "reclaim_destroyed_total{kind=\"volume\",result=\"acknowledged\"} 5", "reclaim_http_requests_total 9",
                           "reclaim_sync_seconds_bucket{le=\"0.005\"} 1", "reclaim_sync_seconds_count 1"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

TEST(Metrics, ShowOneSeriesOfAGaugeThatIsAlwaysOne) {
  Metrics metrics;
  metrics.set_only(Metric::kDriveTape, {"V1"}, 1);
  metrics.set_only(Metric::kDriveTape, {"V2"}, 1);
  EXPECT_EQ(metrics.text().find("V1"), std::string::npos);
  EXPECT_NE(metrics.text().find("reclaim_drive_tape{vid=\"V2\"} 1"), std::string::npos) << metrics.text();
  metrics.set_only(Metric::kDriveTape, {""}, 0);
  metrics.set_only(Metric::kDriveTape, {""}, 0);
  EXPECT_NE(metrics.text().find("reclaim_drive_tape{vid=\"\"} 0"), std::string::npos) << metrics.text();
}

TEST(MetricsService, AnswersOneGetAndRefreshesFirst) {
  Metrics metrics;
  int refreshed = 0;
  MetricsService service(metrics, [&] { metrics.set(Metric::kWorkers, {"running"}, ++refreshed); });
  const auto transport = Transport::start({.threads = 1}, service).value();
  RawClient client(transport->port());
  const RawReply reply = client.get("/metrics");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(reply.body.find("reclaim_workers{state=\"running\"} 1"), std::string::npos);
  EXPECT_EQ(client.get("/").status, 404);
  client.send("POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  const RawReply refused = client.read_reply();
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.headers.at("allow"), "GET, HEAD");
}

}  // namespace
}  // namespace reclaim::http
