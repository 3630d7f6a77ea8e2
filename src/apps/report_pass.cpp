#include "apps/report_pass.hpp"

#include <algorithm>
#include <utility>

#include "archive/ended.hpp"

namespace reclaim::apps {
namespace {

constexpr std::size_t kReportsAtOnce = 10'000;
constexpr std::int64_t kForgottenAtOnce = 100'000;
// Between its record and the write that leaves a request out of its segment, the record is what keeps it from being reported again.
constexpr Millis kKeptAtLeast{60'000};

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

Result<std::int64_t> forget(const archive::Context& context, const DoneRetention& retention) {
  return archive::prune_ended(context, context.wall - std::max(retention.time, kKeptAtLeast), retention.most, kForgottenAtOnce);
}

}  // namespace

ReportPass::ReportPass(const Clock& clock, const archive::ReporterOptions& options, const DoneRetention& retention)
    : sink_(std::make_shared<report_http::HttpReports>(report_http::HttpReportsOptions{}, clock)),
      options_(options),
      retention_(retention) {}

void ReportPass::add_to(server::Maintenance& maintenance) const {
  maintenance.add(
      server::kReports,
      [sink = sink_, options = options_, retention = retention_](const server::Maintenance::Contexts& context, archive::Hand& hand,
                                                                 agents::Estate& estate) -> Result<server::PassRun> {
        server::PassRun run = run_of(TRY(archive::report(context, hand, estate, *sink, options, kReportsAtOnce)));
        const std::int64_t forgotten = TRY(forget(context(), retention));
        run.counts.emplace_back("forgotten", static_cast<std::uint64_t>(forgotten));
        run.more = run.more || forgotten == kForgottenAtOnce;
        return run;
      });
}

}  // namespace reclaim::apps
