// worker-lifecycle: a worker without a sync until its expiry is stalled (an ephemeral one deleted); landing and retiring workers move on
// when no live non-interruptible owner has a container on them; one stalled for longer than the stalled timeout is deleted.
#include "fleet/departure.hpp"
#include "fleet/slices.hpp"
#include "ports/statements.hpp"

namespace reclaim::fleet {
namespace {

ports::Values clocks_of(const Context& context) {
  return {context.moment.now.ms, context.moment.trusted_from.ms, context.policy.worker_expiry.count(),
          context.policy.ephemeral_expiry.count(), context.policy.stalled_timeout.count()};
}

// Where a worker's life goes from here, and why.
struct Step {
  WorkerState to;
  std::string reason;
};
using NextStep = std::optional<Step>;

Result<NextStep> when_drained(const Context& context, ports::Transaction& transaction, const WorkerRow& worker) {
  if (worker.state == WorkerState::kRunning) return NextStep{};
  const ports::Rows busy =
      TRY(transaction.run(sql::worker_busy_owners, {context.moment.now.ms, context.moment.trusted_from.ms, worker.id}));
  if (!busy.empty()) return NextStep{};
  if (worker.state == WorkerState::kRetiring) return NextStep({WorkerState::kDeleted, "retired"});
  return NextStep({WorkerState::kLanded, "no live owner needs it"});
}

Result<NextStep> step_of(const Context& context, ports::Transaction& transaction, const WorkerRow& worker) {
  ports::Values values = clocks_of(context);
  values.emplace_back(worker.id);
  const ports::Rows facts = TRY(transaction.run(sql::lifecycle_facts, values));
  const bool expired = facts[0].integer(0) != 0;
  const bool timed_out = facts[0].integer(1) != 0;
  switch (worker.state) {
    case WorkerState::kRunning:
    case WorkerState::kLanding:
    case WorkerState::kRetiring:
      if (expired && worker.ephemeral) return NextStep({WorkerState::kDeleted, "ephemeral, and no sync until its expiry"});
      if (expired) return NextStep({WorkerState::kStalled, "no sync until its expiry"});
      return when_drained(context, transaction, worker);
    case WorkerState::kStalled:
      if (timed_out) return NextStep({WorkerState::kDeleted, "stalled for longer than the stalled timeout"});
      return NextStep{};
    case WorkerState::kLanded:
    case WorkerState::kDeleted: return NextStep{};
  }
  check(false, "unknown worker state");
  return NextStep{};
}

// A sync, or whatever else moves its life, gives it another.
std::int64_t version_of(const WorkerRow& worker) { return worker.since.ms + (worker.synced ? worker.synced->ms : 0); }

Result<Event> move(const Context& context, ports::Transaction& transaction, const WorkerRow& worker, const Step& step) {
  if (step.to == WorkerState::kDeleted) return depart(transaction, worker, step.reason);
  const bool is_stalled = step.to == WorkerState::kStalled;
  const bool keeps_intent = is_stalled && (worker.state == WorkerState::kLanding || worker.state == WorkerState::kRetiring);
  const ports::Value intent = keeps_intent ? ports::Value(std::string(name_of(worker.state))) : ports::Value();
  const ports::Value stalled_at = is_stalled ? ports::Value(context.moment.now.ms) : ports::Value();
  TRY(transaction.run(sql::worker_set_state,
                      {worker.id, std::string(name_of(step.to)), intent, context.moment.wall.ms, stalled_at, ports::Value()}));
  return Event{.action = "worker-" + std::string(name_of(step.to)),
               .worker = worker.name,
               .from = std::string(name_of(worker.state)),
               .to = std::string(name_of(step.to)),
               .reason = step.reason};
}

}  // namespace

Sweep worker_lifecycle_sweep(const Context& context) {
  const auto find = [&context](ports::Transaction& transaction, const WorkerRow& worker, std::int64_t) -> Result<Candidates> {
    const NextStep step = TRY(step_of(context, transaction, worker));
    if (!step) return Candidates{};
    return Candidates{{.id = worker.id,
                       .kind = {},
                       .handle = worker.name,
                       .reason = std::string(name_of(step->to)) + ": " + step->reason,
                       .bytes = {},
                       .version = version_of(worker)}};
  };
  const auto act = [&context](ports::Transaction& transaction, const WorkerRow& worker,
                              const Candidates& found) -> Result<std::vector<Event>> {
    const NextStep step = TRY(step_of(context, transaction, worker));
    if (!step || found.size() != 1 || found[0].version != version_of(worker)) return std::vector<Event>{};
    return std::vector<Event>{TRY(move(context, transaction, worker, *step))};
  };
  return {.walk = walk_of(context, sql::lifecycle_workers, clocks_of(context)),
          .find = find,
          .act = act,
          .refusal = "it has synced, or its life has moved on",
          .stalled_too = true};
}

Result<PassReport> worker_lifecycle(const Context& context, const Claim& claim) {
  PassReport report = TRY(run_sweep(context, claim, worker_lifecycle_sweep(context)));
  report.workers.clear();  // what moved on has no new orders
  return report;
}

}  // namespace reclaim::fleet
