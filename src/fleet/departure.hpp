// How a worker leaves for good. For this room only.
#pragma once

#include <string>

#include "fleet/events.hpp"
#include "fleet/worker_row.hpp"

namespace reclaim::fleet {

// Deletes a locked worker and its rows, which are lost; keeps what fences its old sessions and balances the ledger. The event says so.
Result<Event> depart(ports::Transaction& transaction, const WorkerRow& worker, const std::string& reason);

}  // namespace reclaim::fleet
