// mark-failed: a resource whose creation failed is destroyed, never just forgotten: the attempt may have left something.
// creating-deadline: a resource that has been creating for longer than the creating timeout has failed.
#include "fleet/slices.hpp"
#include "ports/statements.hpp"

namespace reclaim::fleet {
namespace {

ports::Values creating_clocks(const Context& context) {
  return {context.moment.now.ms, context.moment.trusted_from.ms, context.policy.creating_timeout.count()};
}

}  // namespace

Sweep mark_failed_sweep(const Context& context) {
  const auto find = [](ports::Transaction& transaction, const WorkerRow& worker, std::int64_t limit) -> Result<Candidates> {
    return candidates_of(TRY(transaction.run(sql::failed_find, {worker.id, limit})));
  };
  const auto act = [&context](ports::Transaction& transaction, const WorkerRow& worker,
                              const Candidates& found) -> Result<std::vector<Event>> {
    const Moment& moment = context.moment;
    const ports::Rows marked = TRY(transaction.run(sql::failed_mark, {moment.now.ms, moment.wall.ms, next_change(worker), list_of(found)}));
    if (!marked.empty()) TRY(draw_change(transaction, worker));
    return events_of(marked, worker, "marked", "failed", "destroying");
  };
  return {.walk = walk_of(context, sql::failed_workers, {}),
          .find = find,
          .act = act,
          .refusal = "it has changed",
          .from = ResourceState::kFailed};
}

Sweep creating_deadline_sweep(const Context& context) {
  const auto find = [&context](ports::Transaction& transaction, const WorkerRow& worker, std::int64_t limit) -> Result<Candidates> {
    ports::Values values = creating_clocks(context);
    values.insert(values.end(), {worker.id, limit});
    return candidates_of(TRY(transaction.run(sql::overdue_find, values)));
  };
  const auto act = [&context](ports::Transaction& transaction, const WorkerRow& worker,
                              const Candidates& found) -> Result<std::vector<Event>> {
    ports::Values values = creating_clocks(context);
    values.insert(values.end(), {context.moment.wall.ms, next_change(worker), list_of(found)});
    const ports::Rows failed = TRY(transaction.run(sql::overdue_fail, values));
    if (!failed.empty()) TRY(draw_change(transaction, worker));
    return events_of(failed, worker, "creating-timed-out", "creating", "failed");
  };
  return {.walk = walk_of(context, sql::overdue_workers, creating_clocks(context)),
          .find = find,
          .act = act,
          .refusal = "it has changed",
          .from = ResourceState::kCreating};
}

Result<PassReport> mark_failed(const Context& context, const Claim& claim) { return run_sweep(context, claim, mark_failed_sweep(context)); }

Result<PassReport> creating_deadline(const Context& context, const Claim& claim) {
  return run_sweep(context, claim, creating_deadline_sweep(context));
}

}  // namespace reclaim::fleet
