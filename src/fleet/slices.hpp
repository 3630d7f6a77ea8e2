// How every collector goes over the workers that have candidates: slice by slice, each one transaction that holds the claim, then the
// worker's lock, and only then looks at the candidates again. For this room only.
#pragma once

#include <functional>
#include <vector>

#include "fleet/collectors.hpp"
#include "fleet/events.hpp"
#include "fleet/worker_row.hpp"
#include "ports/database.hpp"

namespace reclaim::fleet {

// What one slice did. `rows` = 0 ends the worker.
struct Slice {
  std::int64_t rows = 0;
  std::vector<Event> events;
};

using SliceFunction = std::function<Result<Slice>(ports::Transaction& transaction, const WorkerRow& worker)>;

struct Sweep {
  ports::Statement workers;  // ids of workers with candidates; its last two values are the id to begin after, and how many
  ports::Values values;      // its values before those two
  bool stalled_too = false;  // rows of a stalled worker are frozen, except to the pass that moves its life on
  SliceFunction slice;
};

// A worker whose slice fails is reported and left to the next pass; a lost claim ends the pass at once.
Result<PassReport> sweep(const Context& context, const Claim& claim, const Sweep& sweep);

// One event per row of `kind, handle, reason`.
std::vector<Event> events_of(const ports::Rows& rows, const WorkerRow& worker, const char* action, const char* from, const char* to);

}  // namespace reclaim::fleet
