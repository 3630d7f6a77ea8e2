// What a refused sync leaves behind: what the operator has to know, said once and not at every try. For this room only.
#pragma once

#include "fleet/context.hpp"
#include "fleet/fence.hpp"
#include "fleet/worker_row.hpp"

namespace reclaim::fleet {

// In the transaction that refuses, under the worker's lock. Nothing else of the worker changes.
Status record_refusal(ports::Transaction& transaction, const Context& context, const WorkerRow& worker, const wire::SyncRequest& request,
                      const Refusal& refusal);

}  // namespace reclaim::fleet
