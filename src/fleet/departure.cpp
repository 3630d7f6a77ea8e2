#include "fleet/departure.hpp"

#include "ports/statements.hpp"

namespace reclaim::fleet {

Result<Event> depart(ports::Transaction& transaction, const WorkerRow& worker, const std::string& reason) {
  const ports::Rows lost = TRY(transaction.run(sql::worker_lose_resources, {worker.id}));
  TRY(transaction.run(sql::worker_depart, {worker.id, lost.changed}));
  TRY(transaction.run(sql::session_close, {worker.name, worker.session, worker.sequence}));
  TRY(transaction.run(sql::worker_delete, {worker.id}));
  return Event{.action = "worker-deleted",
               .worker = worker.name,
               .from = std::string(name_of(worker.state)),
               .to = "deleted",
               .reason = reason + "; rows lost: " + std::to_string(lost.changed)};
}

}  // namespace reclaim::fleet
