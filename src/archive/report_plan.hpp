// What a report says, when it is due, and what becomes of a request of which one was tried. Pure; for this room only: reporter.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/names.hpp"
#include "archive/objects.hpp"
#include "base/time.hpp"
#include "ports/report_sink.hpp"

namespace reclaim::archive {

inline constexpr Millis kReportBackoffMax{3'600'000};

// The same for every try of a round: nothing in it changes between tries.
ports::Report report_of(const RequestId& id, const stored::Request& request);

// After so many tries: `first`, then twice as long each time, up to kReportBackoffMax.
Millis report_backoff(Millis first, std::uint32_t tries);

// Which entries of a to-report queue are due, those that are due longest first, until they hold `requests`; one at least. One that is due
// later than any backoff ends was written by a clock that was wrong: it is due.
std::vector<stored::Queue::Pointer> choose_due(const stored::Queue& queue, std::int64_t now_ms, std::uint64_t requests);

enum class Reported : std::uint8_t {
  kReceipt,  // it has ended: its requester knows
  kNobody,   // it has ended: delivered, and nobody is to be told
  kFailed,   // to the failed queue: nobody is to be told that it failed, or nobody could be told
  kAgain,    // tried to no avail
  kLater,    // not tried
};
// Counts the try in the request, and says in its errors why it goes to the failed queue. No outcome: nobody is to be told.
Reported judge_report(stored::Request& request, const std::optional<ports::ReportOutcome>& outcome, std::uint32_t tries_max);

}  // namespace reclaim::archive
