// Things on a worker that have no row: restored if they were lost and are still wanted, adopted, or unknown. For this room only.
//
// All of it happens in the sync that shows them, or in the operator's accept, under the worker's lock. Every row made here is `created`,
// present, and carries the next change number, which the caller draws.
#pragma once

#include <string>
#include <vector>

#include "fleet/context.hpp"
#include "fleet/worker_row.hpp"

namespace reclaim::fleet {

// Rows of lost resources among `handles` whose owner lives, whose pin lasts, or whose container or parent is there. What hangs on
// another of them follows it, and what had stayed hangs on them again.
Result<std::vector<std::string>> restore_lost(ports::Transaction& transaction, const Context& context, const WorkerRow& worker,
                                              ResourceKind kind, const std::string& handles);

// Rows of unknown volumes from which a volume that has a row was made: nobody's, held by that one.
Result<std::vector<std::string>> restore_supports(ports::Transaction& transaction, const Context& context, const WorkerRow& worker);

// Rows for those of `handles` that have none, owned by `adopted:WORKER`.
Result<std::vector<std::string>> adopt_appeared(ports::Transaction& transaction, const Context& context, const WorkerRow& worker,
                                                ResourceKind kind, const std::string& handles);

// Rows for all that is held. How many.
Result<std::int64_t> adopt_held(ports::Transaction& transaction, const Context& context, const WorkerRow& worker);

}  // namespace reclaim::fleet
