#include "apps/report_pass.hpp"

#include <utility>

namespace reclaim::apps {
namespace {

constexpr std::size_t kReportsAtOnce = 10'000;

server::PassRun run_of(archive::ReporterReport report) {
  return {.pass = {},
          .counts = {{"receipts", report.receipts},
                     {"untold", report.untold},
                     {"failed", report.failed},
                     {"again", report.again},
                     {"later", report.later}},
          .more = report.more,
          .problems = std::move(report.problems),
          .error = {},
          .gives_up = report.is_in_doubt};
}

}  // namespace

ReportPass::ReportPass(const Clock& clock, const archive::ReporterOptions& options)
    : sink_(std::make_shared<report_http::HttpReports>(report_http::HttpReportsOptions{}, clock)), options_(options) {}

void ReportPass::add_to(server::Maintenance& maintenance) const {
  maintenance.add(server::kReports,
                  [sink = sink_, options = options_](const server::Maintenance::Contexts& context, archive::Hand& hand,
                                                     agents::Estate& estate) -> Result<server::PassRun> {
                    return run_of(TRY(archive::report(context, hand, estate, *sink, options, kReportsAtOnce)));
                  });
}

}  // namespace reclaim::apps
