// Lineage: the identity of what this database remembers. A worker that was answered by more than that proves that something was
// forgotten; it is fenced until an operator accepts the loss, which begins a new lineage that names those it replaces.
//
// Source of the idea: recovery points of replicated databases (PostgreSQL's timelines): a history that lost its end gets a new name.
#pragma once

#include <string>
#include <vector>

#include "base/time.hpp"
#include "fleet/context.hpp"
#include "fleet/workers.hpp"
#include "wire/sync.hpp"

namespace reclaim::fleet {

struct RegressedWorker {
  WorkerName worker;
  WallTime since;
  std::string reason;
  std::string lineage;                     // the one that it was last answered under
  wire::PerKind<std::int64_t> unknown;     // things of its that have no row here, as its last refused full inventories show
  std::vector<std::string> unknown_names;  // the first few
};

struct Lineage {
  std::string id;
  std::vector<std::string> replaces;  // the latest first, at most 100
  std::vector<RegressedWorker> regressed;
};

Result<Lineage> read_lineage(const Context& context);

// Begins the lineage `id`, in the place of the present one and of all that regressed workers were answered under. From then on every
// worker begins anew, with full inventories and as_of 0. Of regressed workers, what this database had marked is forgotten, and what
// they have without a row is adopted or destroyed, as at first contact. Adopted is what any other worker has without a row, too: it may
// have been given something that was forgotten before it heard of it. Until then, nothing unknown is destroyed on any worker.
Result<Lineage> accept_lineage(const Context& context, const std::string& id, Existing unknown);

// Of a database that was put back from a copy, before anybody serves it: begins the lineage `id` as if every worker had proved a loss, for
// what they were told since nobody here knows. Marks are forgotten, and what they have without a row is adopted. So nothing is destroyed
// because the copy had not heard of it, or had heard of a former bearer of its handle. kConflict: nobody has ever served it.
Result<Lineage> restore_lineage(const Context& context, const std::string& id);

}  // namespace reclaim::fleet
