// missing: a created resource that its worker's inventories have lacked for longer than the missing grace is lost: its row goes, with
// those of its missing children. Nothing is destroyed by it.
// unknown: what a worker has held without a row for longer than the unknown grace gets one, as destroying.
#include "fleet/slices.hpp"
#include "ports/statements.hpp"

namespace reclaim::fleet {

Result<PassReport> missing(const Context& context, const Claim& claim) {
  const Moment& moment = context.moment;
  const ports::Values clocks{moment.now.ms, moment.trusted_from.ms, context.policy.missing_grace.count()};
  const auto forget = [&](ports::Transaction& transaction, const WorkerRow& worker) -> Result<Slice> {
    ports::Values values = clocks;
    values.insert(values.end(), {worker.id, kSliceMax});
    const ports::Rows lost = TRY(transaction.run(sql::missing_forget, values));
    const auto count = static_cast<std::int64_t>(lost.size());
    if (count > 0) TRY(transaction.run(sql::worker_add_lost, {worker.id, count}));
    return Slice{count, events_of(lost, worker, "lost", "created", "gone")};
  };
  return sweep(context, claim, {.workers = sql::missing_workers, .values = clocks, .slice = forget});
}

Result<PassReport> unknown(const Context& context, const Claim& claim) {
  const Moment& moment = context.moment;
  const ports::Values clocks{moment.now.ms, moment.trusted_from.ms, context.policy.unknown_grace.count()};
  const auto mark = [&](ports::Transaction& transaction, const WorkerRow& worker) -> Result<Slice> {
    ports::Values values = clocks;
    values.insert(values.end(), {worker.id, kSliceMax, next_change(worker), moment.wall.ms});
    const ports::Rows marked = TRY(transaction.run(sql::unknown_mark, values));
    const auto count = static_cast<std::int64_t>(marked.size());
    if (count == 0) return Slice{};
    TRY(transaction.run(sql::unknown_marked, {worker.id, next_change(worker)}));
    TRY(transaction.run(sql::worker_add_unknown, {worker.id, count}));
    TRY(draw_change(transaction, worker));
    return Slice{count, events_of(marked, worker, "marked", "", "destroying")};
  };
  return sweep(context, claim, {.workers = sql::unknown_workers, .values = clocks, .slice = mark});
}

}  // namespace reclaim::fleet
