// Requests that have ended, in the catalogue: done, cancelled by the requester, removed by an operator or with their file. What people are
// shown of them for a while, and what has to be known of them for good: how many there were (C1).
//
// A request is recorded here before it is left out of its segment, in one guarded write of that (disperse.hpp). A crash between the two
// leaves it in both; whoever meets it in a segment while it is on record leaves it out there. Recording again changes nothing, and counts
// nothing twice. What is recorded raises its origin in the ledger (ledger.hpp) in the same transaction.
//
// Who may call: any thread. Each use case is one transaction, of a number of statements that does not grow with the requests'.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "archive/context.hpp"
#include "archive/names.hpp"
#include "archive/objects.hpp"

namespace reclaim::archive {

enum class Ending { kDone, kCancelled, kRemoved };
std::string_view name_of(Ending ending);  // done, cancelled, removed

struct Ended {
  RequestId id;
  Ending how = Ending::kDone;
  bool reported = false;
  stored::Request request;  // as it was at the end
};

struct EndedRequest {
  Ended ended;
  WallTime at;
};

Status record_ended(const Context& context, std::span<const Ended> ended);
// Nothing: not ended, or forgotten. In their order.
Result<std::vector<std::optional<EndedRequest>>> find_ended(const Context& context, std::span<const RequestId> ids);
// By id.
Result<std::vector<EndedRequest>> list_ended(const Context& context, const std::string& after, std::int64_t limit);

// Forgets what ended before `before`, and the oldest beyond `most`; at most `budget` at once. How many it was. Counts stay.
Result<std::int64_t> prune_ended(const Context& context, WallTime before, std::int64_t most, std::int64_t budget);

struct EndedCounts {
  std::int64_t done = 0;
  std::int64_t cancelled = 0;
  std::int64_t removed = 0;
};
// Of all time.
Result<EndedCounts> count_ended(const Context& context);

}  // namespace reclaim::archive
