#include "adapters/report_memory/memory_reports.hpp"

#include <utility>

namespace reclaim::report_memory {

using ports::Report;
using ports::ReportOutcome;
using Kind = ports::ReportOutcome::Kind;

void MemoryReports::set_target(const std::string& target, React react) {
  const std::lock_guard lock(mutex_);
  targets_[target] = std::move(react);
}

std::vector<ReportOutcome> MemoryReports::deliver(std::span<const Report> reports) {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::size_t> unanswered;
  std::vector<ReportOutcome> outcomes;
  outcomes.reserve(reports.size());
  for (const Report& report : reports) outcomes.push_back(deliver_one(report, unanswered));
  return outcomes;
}

ReportOutcome MemoryReports::deliver_one(const Report& report, std::map<std::string, std::size_t>& unanswered) {
  const Status checked = ports::check_report(report);
  if (!checked.ok()) return {.kind = Kind::kUnanswered, .reason = ports::report_reason("cannot be sent: " + checked.error().message)};
  const std::string target = ports::parse_report_url(report.url).value().target();
  std::size_t& in_a_row = unanswered[target];
  if (in_a_row >= kSilentAfter) return {.kind = Kind::kUnanswered, .reason = "not sent, for its target leaves others unanswered"};
  const auto found = targets_.find(target);
  Reaction reaction = found == targets_.end() ? Reaction{{.kind = Kind::kReceipt, .status = 200}} : found->second(report);
  in_a_row = reaction.outcome.kind == Kind::kUnanswered ? in_a_row + 1 : 0;
  if (reaction.arrives) ledger_.push_back({report, reaction.outcome.kind == Kind::kReceipt});
  return std::move(reaction.outcome);
}

std::vector<Arrival> MemoryReports::ledger() const {
  const std::lock_guard lock(mutex_);
  return ledger_;
}

}  // namespace reclaim::report_memory
