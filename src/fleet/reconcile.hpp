// One sync at work, and its inventories: what the worker has against what there are rows for. For this room only.
//
// A full inventory is turned into the delta against the set that the server holds; from there on there is one path. What appears and
// vanishes is taken as a fact about that inventory, whatever its as_of; what follows from it is judged at its as_of: rows that changed
// later are left alone.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fleet/context.hpp"
#include "fleet/events.hpp"
#include "fleet/sync.hpp"
#include "fleet/worker_row.hpp"
#include "wire/sync.hpp"

namespace reclaim::fleet {

// What every part of a sync reads and adds to, inside its transaction and under the worker's lock. The row is written at the end.
struct SyncWork {
  ports::Transaction& transaction;
  const Context& context;
  const wire::SyncRequest& request;
  WorkerRow worker;
  std::int64_t as_of = 0;
  bool first_of_session = false;
  bool changed = false;  // some row carries the next change number
  SyncOutcome outcome = {};
  std::vector<Event> events = {};
  std::set<std::pair<ResourceKind, std::string>> acknowledged = {};
  std::vector<wire::Malformed> malformed = {};
  struct {
    std::int64_t destroyed = 0;
    std::int64_t unknown = 0;
    std::int64_t adopted = 0;
    std::int64_t lost = 0;  // negative: restored
  } ledger = {};

  std::int64_t high_water() const { return changed ? next_change(worker) : worker.change; }
  void record_gone(ResourceKind kind, const std::string& handle, bool acknowledged, ServiceTime marked);
};

// Takes in both inventories. Kinds that have to come in full are added to the answer's `resync`.
Status reconcile(SyncWork& work);

}  // namespace reclaim::fleet
