#include "sim/faulty_sink.hpp"

namespace reclaim::sim {

using ports::Report;
using ports::ReportOutcome;

std::vector<ReportOutcome> FaultySink::deliver(std::span<const Report> reports) {
  const int number = fault_.calls++;
  if (fault_.happened || fault_.at != number) return inner_.deliver(reports);
  fault_.happened = true;
  if (fault_.outcome == Outcome::kStopBefore) {
    const std::size_t delivered = reports.empty() ? 0 : static_cast<std::size_t>(seed_ % reports.size());
    (void)inner_.deliver(reports.first(delivered));
    throw Crash{};
  }
  (void)inner_.deliver(reports);
  if (fault_.outcome == Outcome::kStopAfter) throw Crash{};
  return std::vector<ReportOutcome>(reports.size(), {.kind = ReportOutcome::Kind::kUnanswered, .reason = "no answer"});
}

}  // namespace reclaim::sim
