// Three clocks, three types, so that nobody compares one with another.
//
//  Instant      this process's monotonic clock: deadlines of calls, periods of loops. Never stored.
//  ServiceTime  milliseconds during which some server served, kept in the database. Every stored deadline (lease, grace, expiry,
//               backoff) is one of these: an outage, a suspended server or a clock set by hand makes nothing run out.
//  WallTime     what a person reads. Shown and logged, never judged by.
//
// The core never reads a clock: it is handed times. Only the system adapter reads them.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

namespace reclaim {

using Millis = std::chrono::milliseconds;

template <class Tag>
struct TimePoint {
  std::int64_t ms = 0;
  auto operator<=>(const TimePoint&) const = default;
  friend TimePoint operator+(TimePoint at, Millis by) { return {at.ms + by.count()}; }
  friend TimePoint operator-(TimePoint at, Millis by) { return {at.ms - by.count()}; }
  friend Millis operator-(TimePoint later, TimePoint earlier) { return Millis(later.ms - earlier.ms); }
};

using Instant = TimePoint<struct InstantTag>;
using ServiceTime = TimePoint<struct ServiceTimeTag>;
using WallTime = TimePoint<struct WallTimeTag>;

// RFC 3339 in UTC with milliseconds: 2026-11-23T04:05:06.789Z
std::string to_rfc3339(WallTime at);

// The port: monotonic and wall time. `now()` never goes back within a process.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall() const = 0;
};

// The port: unpredictable bytes, for ids, tokens and nothing else.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
};

std::string make_uuid(Random& random);

}  // namespace reclaim
