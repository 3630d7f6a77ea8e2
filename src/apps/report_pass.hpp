// The pass that reports to requesters, over HTTP: archive/reporter.hpp with a sink of its own.
#pragma once

#include <memory>

#include "adapters/report_http/http_reports.hpp"
#include "archive/reporter.hpp"
#include "base/time.hpp"
#include "server/maintenance.hpp"

namespace reclaim::apps {

class ReportPass {
 public:
  ReportPass(const Clock& clock, const archive::ReporterOptions& options);

  // Before anything runs.
  void add_to(server::Maintenance& maintenance) const;
  // Breaks off what is being delivered, for good: it is reported again by whoever runs next. Any thread.
  void stop() { sink_->stop(); }

 private:
  std::shared_ptr<report_http::HttpReports> sink_;
  archive::ReporterOptions options_;
};

}  // namespace reclaim::apps
