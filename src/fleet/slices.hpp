// How every collector goes about its work: it walks the workers that may have candidates, finds the candidates of one, and acts on what it
// found; slice by slice, each one transaction that holds the claim, then the worker's lock, and only then finds. The pass does so, a plan
// does so and drops the transaction, and applying a plan acts on what the plan found. For this room only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fleet/candidate.hpp"
#include "fleet/collectors.hpp"
#include "fleet/events.hpp"
#include "fleet/states.hpp"
#include "fleet/worker_row.hpp"
#include "ports/database.hpp"

namespace reclaim::fleet {

using Candidates = std::vector<Candidate>;

// Some of the workers with candidates, by id. A worker may come again.
struct Workers {
  std::vector<std::int64_t> ids;
  bool last = false;
};
using Walk = std::function<Result<Workers>()>;

struct Sweep {
  // A new walk from the first worker on.
  std::function<Walk()> walk;
  std::function<Result<Candidates>(ports::Transaction& transaction, const WorkerRow& worker, std::int64_t limit)> find;
  // One event for each candidate that it acted on: those that are candidates still and have not changed.
  std::function<Result<std::vector<Event>>(ports::Transaction& transaction, const WorkerRow& worker, const Candidates& found)> act;
  // What a candidate that it did not act on is told: it is not as it was found. Rows of resources are looked at first: `from` is the
  // state that candidates are in; where wanted ones are spared, by whom.
  std::string_view refusal;
  std::optional<ResourceState> from = {};
  bool spares_wanted = false;
  bool has_workers = true;   // false: one walk over one worker that there is not
  bool stalled_too = false;  // rows of a stalled worker are frozen, except to the pass that moves its life on
};

// A worker whose slice fails is reported and left to the next pass; a lost claim ends the pass at once.
Result<PassReport> run_sweep(const Context& context, const Claim& claim, const Sweep& sweep);

// Locks the worker (id 0: none) and says whether its rows may be judged now.
struct Scope {
  WorkerRow worker;
  bool is_frozen = false;
};
Result<Scope> open_scope(ports::Transaction& transaction, const Context& context, const Sweep& sweep, std::int64_t worker);

// The walk of a statement whose last two values are the id to begin after, and how many.
std::function<Walk()> walk_of(const Context& context, ports::Statement workers, ports::Values values);

// Rows of a `*_find` statement, and the list that acting statements take.
Candidates candidates_of(const ports::Rows& rows);
std::string list_of(const Candidates& candidates);

// One event per row of `kind, handle, reason`.
std::vector<Event> events_of(const ports::Rows& rows, const WorkerRow& worker, const char* action, const char* from, const char* to);
// Which of the candidates the events of acting are about.
using ActedOn = std::pair<std::optional<ResourceKind>, std::string>;
ActedOn acted_on(const Candidate& candidate);
std::set<ActedOn> acted_on(const std::vector<Event>& events);

Sweep release_expired_owners_sweep(const Context& context);
Sweep mark_orphans_sweep(const Context& context);
Sweep mark_failed_sweep(const Context& context);
Sweep creating_deadline_sweep(const Context& context);
Sweep missing_sweep(const Context& context);
Sweep unknown_sweep(const Context& context);
Sweep worker_lifecycle_sweep(const Context& context);

}  // namespace reclaim::fleet
