// mark-failed: a resource whose creation failed is destroyed, never just forgotten: the attempt may have left something.
// creating-deadline: a resource that has been creating for longer than the creating timeout has failed.
#include "fleet/slices.hpp"
#include "ports/statements.hpp"

namespace reclaim::fleet {

Result<PassReport> mark_failed(const Context& context, const Claim& claim) {
  const auto mark = [&](ports::Transaction& transaction, const WorkerRow& worker) -> Result<Slice> {
    const ports::Rows marked =
        TRY(transaction.run(sql::failed_mark, {worker.id, kSliceMax, next_change(worker), context.moment.now.ms, context.moment.wall.ms}));
    if (!marked.empty()) TRY(draw_change(transaction, worker));
    return Slice{static_cast<std::int64_t>(marked.size()), events_of(marked, worker, "marked", "failed", "destroying")};
  };
  return sweep(context, claim, {.workers = sql::failed_workers, .values = {}, .slice = mark});
}

Result<PassReport> creating_deadline(const Context& context, const Claim& claim) {
  const Moment& moment = context.moment;
  const ports::Values clocks{moment.now.ms, moment.trusted_from.ms, context.policy.creating_timeout.count()};
  const auto fail = [&](ports::Transaction& transaction, const WorkerRow& worker) -> Result<Slice> {
    ports::Values values = clocks;
    values.insert(values.end(), {worker.id, kSliceMax, next_change(worker), moment.wall.ms});
    const ports::Rows failed = TRY(transaction.run(sql::overdue_fail, values));
    if (!failed.empty()) TRY(draw_change(transaction, worker));
    return Slice{static_cast<std::int64_t>(failed.size()), events_of(failed, worker, "creating-timed-out", "creating", "failed")};
  };
  return sweep(context, claim, {.workers = sql::overdue_workers, .values = clocks, .slice = fail});
}

}  // namespace reclaim::fleet
