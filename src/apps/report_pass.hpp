// The pass that reports to requesters, over HTTP: archive/reporter.hpp with a sink of its own. It forgets, too, what ended long ago.
#pragma once

#include <cstdint>
#include <memory>

#include "adapters/report_http/http_reports.hpp"
#include "archive/reporter.hpp"
#include "base/time.hpp"
#include "server/maintenance.hpp"

namespace reclaim::apps {

// How long people are shown what has ended, and how many of it at most.
struct DoneRetention {
  Millis time{24LL * 3600 * 1000};
  std::int64_t most = 1'000'000;
};

class ReportPass {
 public:
  ReportPass(const Clock& clock, const archive::ReporterOptions& options, const DoneRetention& retention);

  // Before anything runs.
  void add_to(server::Maintenance& maintenance) const;
  // Breaks off what is being delivered, for good: it is reported again by whoever runs next. Any thread.
  void stop() { sink_->stop(); }

 private:
  std::shared_ptr<report_http::HttpReports> sink_;
  archive::ReporterOptions options_;
  DoneRetention retention_;
};

}  // namespace reclaim::apps
