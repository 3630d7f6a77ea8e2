// mark-orphans: a resource nobody needs becomes destroying. Who is an orphan is said once, in collectors.sql: orphan_facts, is_orphan.
//
// The mark cannot be stale: the worker's lock keeps its rows as they are, the share locks keep its ended owners as they are, and the
// statement that marks begins after both and looks at the candidates anew. A tree goes level by level: each slice makes candidates of
// what its rows hung on.
#include "fleet/slices.hpp"
#include "ports/statements.hpp"

namespace reclaim::fleet {
namespace {

Result<Slice> mark_slice(const Context& context, ports::Transaction& transaction, const WorkerRow& worker) {
  const Moment& moment = context.moment;
  TRY(transaction.run(sql::orphan_hold_owners, {worker.id, moment.now.ms}));
  const ports::Rows marked =
      TRY(transaction.run(sql::orphan_mark, {moment.now.ms, moment.trusted_from.ms, context.policy.touch_grace.count(), worker.id, kSliceMax,
                                             next_change(worker), moment.wall.ms}));
  if (!marked.empty()) TRY(draw_change(transaction, worker));
  return Slice{static_cast<std::int64_t>(marked.size()), events_of(marked, worker, "marked", "created", "destroying")};
}

}  // namespace

Result<PassReport> mark_orphans(const Context& context, const Claim& claim) {
  const Moment& moment = context.moment;
  TRY(context.database.run(sql::owners_settle, ports::Values{}));
  return sweep(context, claim,
               {.workers = sql::orphan_workers,
                .values = {moment.now.ms, moment.trusted_from.ms, context.policy.touch_grace.count()},
                .slice = [&](ports::Transaction& transaction, const WorkerRow& worker) { return mark_slice(context, transaction, worker); }});
}

}  // namespace reclaim::fleet
