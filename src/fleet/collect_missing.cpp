// missing: a created resource that its worker's inventories have lacked for longer than the missing grace is lost: its row goes, with
// those of its missing children. Nothing is destroyed by it, and the row is remembered for a while: what comes back and is still wanted
// has its row again (strangers.hpp).
// unknown: what a worker has held without a row for longer than the unknown grace gets one, as destroying.
#include "fleet/slices.hpp"
#include "ports/statements.hpp"

namespace reclaim::fleet {
namespace {

ports::Values clocks(const Context& context, Millis grace) {
  return {context.moment.now.ms, context.moment.trusted_from.ms, grace.count()};
}

}  // namespace

Sweep missing_sweep(const Context& context) {
  const auto find = [&context](ports::Transaction& transaction, const WorkerRow& worker, std::int64_t limit) -> Result<Candidates> {
    ports::Values values = clocks(context, context.policy.missing_grace);
    values.insert(values.end(), {worker.id, limit});
    return candidates_of(TRY(transaction.run(sql::missing_find, values)));
  };
  const auto act = [&context](ports::Transaction& transaction, const WorkerRow& worker,
                              const Candidates& found) -> Result<std::vector<Event>> {
    ports::Values values = clocks(context, context.policy.missing_grace);
    values.emplace_back(list_of(found));
    TRY(transaction.run(sql::missing_remember, values));
    const ports::Rows lost = TRY(transaction.run(sql::missing_forget, values));
    if (!lost.empty()) TRY(transaction.run(sql::worker_add_lost, {worker.id, static_cast<std::int64_t>(lost.size())}));
    return events_of(lost, worker, "lost", "created", "gone");
  };
  return {.walk = walk_of(context, sql::missing_workers, clocks(context, context.policy.missing_grace)),
          .find = find,
          .act = act,
          .refusal = "its worker has it, or it has changed",
          .from = ResourceState::kCreated};
}

Sweep unknown_sweep(const Context& context) {
  const auto find = [&context](ports::Transaction& transaction, const WorkerRow& worker, std::int64_t limit) -> Result<Candidates> {
    ports::Values values = clocks(context, context.policy.unknown_grace);
    values.insert(values.end(), {worker.id, limit});
    return candidates_of(TRY(transaction.run(sql::unknown_due, values)));
  };
  const auto act = [&context](ports::Transaction& transaction, const WorkerRow& worker,
                              const Candidates& found) -> Result<std::vector<Event>> {
    ports::Values values = clocks(context, context.policy.unknown_grace);
    values.insert(values.end(), {worker.id, kSliceMax, next_change(worker), context.moment.wall.ms, list_of(found)});
    const ports::Rows marked = TRY(transaction.run(sql::unknown_mark_found, values));
    if (marked.empty()) return std::vector<Event>{};
    TRY(transaction.run(sql::unknown_marked, {worker.id, next_change(worker)}));
    TRY(transaction.run(sql::worker_add_unknown, {worker.id, static_cast<std::int64_t>(marked.size())}));
    TRY(draw_change(transaction, worker));
    return events_of(marked, worker, "marked", "", "destroying");
  };
  return {.walk = walk_of(context, sql::unknown_workers, clocks(context, context.policy.unknown_grace)),
          .find = find,
          .act = act,
          .refusal = "it is known now, or gone"};
}

Result<PassReport> missing(const Context& context, const Claim& claim) {
  TRY(context.database.run(sql::lost_trim, {(context.moment.now - context.policy.lost_retention).ms, kSliceMax}));
  return run_sweep(context, claim, missing_sweep(context));
}

Result<PassReport> unknown(const Context& context, const Claim& claim) { return run_sweep(context, claim, unknown_sweep(context)); }

}  // namespace reclaim::fleet
