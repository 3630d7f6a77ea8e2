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

Result<Slice> move_to(const Context& context, ports::Transaction& transaction, const WorkerRow& worker, WorkerState state,
                      const std::string& reason) {
  const bool keeps_intent =
      state == WorkerState::kStalled && (worker.state == WorkerState::kLanding || worker.state == WorkerState::kRetiring);
  const ports::Value intent = keeps_intent ? ports::Value(std::string(name_of(worker.state))) : ports::Value();
  const ports::Value stalled_at = state == WorkerState::kStalled ? ports::Value(context.moment.now.ms) : ports::Value();
  TRY(transaction.run(sql::worker_set_state,
                      {worker.id, std::string(name_of(state)), intent, context.moment.wall.ms, stalled_at, ports::Value()}));
  return Slice{0,
               {{.action = "worker-" + std::string(name_of(state)),
                 .worker = worker.name,
                 .from = std::string(name_of(worker.state)),
                 .to = std::string(name_of(state)),
                 .reason = reason}}};
}

Result<Slice> leave(ports::Transaction& transaction, const WorkerRow& worker, const std::string& reason) {
  Event event = TRY(depart(transaction, worker, reason));
  return Slice{0, {std::move(event)}};
}

Result<Slice> drain(const Context& context, ports::Transaction& transaction, const WorkerRow& worker) {
  if (worker.state == WorkerState::kRunning) return Slice{};
  const ports::Rows busy =
      TRY(transaction.run(sql::worker_busy_owners, {context.moment.now.ms, context.moment.trusted_from.ms, worker.id}));
  if (!busy.empty()) return Slice{};
  if (worker.state == WorkerState::kRetiring) return leave(transaction, worker, "retired");
  return move_to(context, transaction, worker, WorkerState::kLanded, "no live owner needs it");
}

Result<Slice> move_on(const Context& context, ports::Transaction& transaction, const WorkerRow& worker) {
  ports::Values values = clocks_of(context);
  values.emplace_back(worker.id);
  const ports::Rows facts = TRY(transaction.run(sql::lifecycle_facts, values));
  const bool expired = facts[0].integer(0) != 0;
  const bool timed_out = facts[0].integer(1) != 0;
  switch (worker.state) {
    case WorkerState::kRunning:
    case WorkerState::kLanding:
    case WorkerState::kRetiring:
      if (expired && worker.ephemeral) return leave(transaction, worker, "ephemeral, and no sync until its expiry");
      if (expired) return move_to(context, transaction, worker, WorkerState::kStalled, "no sync until its expiry");
      return drain(context, transaction, worker);
    case WorkerState::kStalled:
      if (timed_out) return leave(transaction, worker, "stalled for longer than the stalled timeout");
      return Slice{};
    case WorkerState::kLanded:
    case WorkerState::kDeleted: return Slice{};
  }
  check(false, "unknown worker state");
  return Slice{};
}

}  // namespace

Result<PassReport> worker_lifecycle(const Context& context, const Claim& claim) {
  std::int64_t moved = 0;
  const auto slice = [&](ports::Transaction& transaction, const WorkerRow& worker) -> Result<Slice> {
    Slice moving = TRY(move_on(context, transaction, worker));
    moved += static_cast<std::int64_t>(moving.events.size());
    return moving;
  };
  PassReport report =
      TRY(sweep(context, claim, {.workers = sql::lifecycle_workers, .values = clocks_of(context), .stalled_too = true, .slice = slice}));
  report.changed = moved;
  return report;
}

}  // namespace reclaim::fleet
