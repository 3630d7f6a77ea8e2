// The audit trail: one event per state change and decision, who and why. Written in the transaction that makes the change, so that
// there is never one without the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/database.hpp"

namespace reclaim::audit {

// What is empty was no part of it.
struct Event {
  std::string action;  // what happened: registered, created, marked, gone, stalled, released, tape-state, ...
  std::string worker = {};
  std::optional<ResourceKind> kind = {};
  std::string handle = {};
  std::string owner = {};
  std::string from = {};
  std::string to = {};
  std::string reason = {};
  std::string tape = {};
  std::string file = {};
  std::string policy = {};
  std::string drive = {};
};

struct RecordedEvent {
  std::int64_t seq = 0;
  WallTime at;
  std::string actor;
  Event event;
};

// Appends events in the order given; a no-op for none. Call it last in a transaction: it takes the turn that keeps event numbers in
// commit order, and holds it until the end. `actor` is `token:ci`, `worker:w1`, `pass:mark-orphans`.
Status append_events(ports::Transaction& transaction, WallTime at, const std::string& actor, const std::vector<Event>& events);

// Events after number `after`, oldest first, at most `limit`. Nothing with a lower number appears later.
Result<std::vector<RecordedEvent>> read_events(ports::Database& database, std::int64_t after, std::int64_t limit);

// Deletes what is older than `before`, and the oldest beyond `count_max`; at most `slice` a call. Answers how many went.
Result<std::int64_t> trim_events(ports::Database& database, WallTime before, std::int64_t count_max, std::int64_t slice);

}  // namespace reclaim::audit
