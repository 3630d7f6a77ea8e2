// mark-orphans: a resource nobody needs becomes destroying. Who is an orphan is said once, in collectors.sql: orphan_facts, is_orphan.
//
// The mark cannot be stale: the worker's lock keeps its rows as they are, the share locks keep the owners of the slice as they are, and
// the statement that marks begins after both, looks at the candidates anew, and passes over what has another owner. A tree goes level by
// level: each slice makes candidates of what its rows hung on.
#include "fleet/slices.hpp"
#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::fleet {
namespace {

Result<Slice> mark_slice(const Context& context, ports::Transaction& transaction, const WorkerRow& worker) {
  const Moment& moment = context.moment;
  ports::Values values{moment.now.ms, moment.trusted_from.ms, context.policy.touch_grace.count(), worker.id, kSliceMax};
  wire::Json held = wire::Json::array();
  for (const ports::Row& owner : TRY(transaction.run(sql::orphan_hold_owners, values))) held.push_back(std::to_string(owner.integer(0)));
  values.insert(values.end(), {next_change(worker), moment.wall.ms, wire::to_text(held)});
  const ports::Rows marked = TRY(transaction.run(sql::orphan_mark, values));
  if (!marked.empty()) TRY(draw_change(transaction, worker));
  return Slice{static_cast<std::int64_t>(marked.size()), events_of(marked, worker, "marked", "created", "destroying")};
}

}  // namespace

Result<PassReport> mark_orphans(const Context& context, const Claim& claim) {
  const Moment& moment = context.moment;
  TRY(context.database.run(sql::owners_settle, ports::Values{}));
  return sweep(
      context, claim,
      {.workers = sql::orphan_workers, .values = {moment.now.ms}, .slice = [&](ports::Transaction& transaction, const WorkerRow& worker) {
         return mark_slice(context, transaction, worker);
       }});
}

}  // namespace reclaim::fleet
