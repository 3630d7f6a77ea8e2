#include "archive/report_plan.hpp"

#include <algorithm>

#include "wire/json.hpp"

namespace reclaim::archive {

using stored::Request;
using Kind = ports::ReportOutcome::Kind;

ports::Report report_of(const RequestId& id, const Request& request) {
  const bool is_done = request.state() == Request::TRANSFERRED;
  const Request::Copy* copy = active_copy(request);
  wire::Json body{{"request", text_of(id)},
                  {"round", request.round()},
                  {"file", request.file()},
                  {"status", is_done ? "done" : "failed"},
                  {"error", nullptr},
                  {"vid", nullptr},
                  {"attempt", request.final_attempt()}};
  if (!is_done && !request.errors().empty()) body["error"] = *request.errors().rbegin();
  if (copy != nullptr) body["vid"] = copy->vid();
  return {.url = request.report_to(), .key = text_of(id) + "/" + std::to_string(request.round()), .body = wire::to_text(body)};
}

Millis report_backoff(Millis first, std::uint32_t tries) {
  Millis backoff = std::min(first, kReportBackoffMax);
  for (std::uint32_t i = 1; i < tries && backoff < kReportBackoffMax && backoff > Millis{0}; ++i) {
    backoff = std::min(2 * backoff, kReportBackoffMax);
  }
  return backoff;
}

std::vector<stored::Queue::Pointer> choose_due(const stored::Queue& queue, std::int64_t now_ms, std::uint64_t requests) {
  std::vector<stored::Queue::Pointer> due;
  for (const stored::Queue::Pointer& entry : queue.pointers()) {
    if (entry.not_before_ms() <= now_ms || entry.not_before_ms() > now_ms + kReportBackoffMax.count()) due.push_back(entry);
  }
  std::ranges::stable_sort(due, {}, [](const stored::Queue::Pointer& entry) { return entry.not_before_ms(); });
  std::size_t chosen = 0;
  for (std::uint64_t held = 0; chosen < due.size() && held < requests; ++chosen) held += due[chosen].requests();
  due.resize(chosen);
  return due;
}

Reported judge_report(Request& request, const std::optional<ports::ReportOutcome>& outcome, std::uint32_t tries_max) {
  if (!outcome) return request.state() == Request::TRANSFERRED ? Reported::kNobody : Reported::kFailed;
  if (outcome->kind == Kind::kNotSent) return Reported::kLater;
  const std::uint32_t tries = request.attempts().report() + 1;
  request.mutable_attempts()->set_report(tries);
  if (outcome->kind == Kind::kReceipt) {
    request.set_reported(true);
    return Reported::kReceipt;
  }
  if (tries < tries_max) return Reported::kAgain;
  add_error(request, "its requester could not be told, tried " + std::to_string(tries) + " times, at last: " + outcome->reason);
  return Reported::kFailed;
}

}  // namespace reclaim::archive
