// The operator's word on what a worker holds back: one transaction, one event, nothing destroyed by it here.
#include "fleet/events.hpp"
#include "fleet/strangers.hpp"
#include "fleet/worker_row.hpp"
#include "fleet/workers.hpp"
#include "ports/statements.hpp"

namespace reclaim::fleet {
namespace {

using ports::Transaction;

Result<std::string> accept_brake(Transaction& transaction, const WorkerRow& worker) {
  if (worker.inventories.containers.brake.empty() && worker.inventories.volumes.brake.empty()) {
    return conflict("worker " + worker.name + " is not braked");
  }
  TRY(transaction.run(sql::worker_lift_brakes, {worker.id}));
  return std::string("the next inventories are judged");
}

Result<std::string> accept_existing(Transaction& transaction, const Context& context, const WorkerRow& worker,
                                    std::optional<Existing> strangers) {
  if (!strangers || *strangers == Existing::kHold) return invalid("unknown", "must be adopt or destroy");
  TRY(transaction.run(sql::worker_set_existing, {worker.id, std::string(name_of(*strangers))}));
  if (*strangers == Existing::kAdopt) {
    const std::int64_t adopted = TRY(adopt_held(transaction, context, worker));
    TRY(draw_change(transaction, worker));
    return std::to_string(adopted) + " adopted by " + adopter_of(WorkerName(worker.name)).str();
  }
  const ports::Rows agreed = TRY(transaction.run(sql::held_agree, {worker.id}));
  TRY(draw_change(transaction, worker));
  return std::to_string(agreed.changed) + " unknown ones go";
}

Result<std::string> accept_incarnation(Transaction& transaction, const WorkerRow& worker, std::optional<Existing> strangers) {
  if (worker.held_incarnation.empty()) return conflict("no incarnation of worker " + worker.name + " is held");
  TRY(transaction.run(sql::worker_accept_incarnation, {worker.id, std::string(name_of(strangers.value_or(Existing::kHold)))}));
  return "incarnation " + worker.held_incarnation + " may come";
}

Result<std::string> accept_session(Transaction& transaction, const WorkerRow& worker) {
  if (worker.session.empty()) return conflict("worker " + worker.name + " has no session that another could follow");
  TRY(transaction.run(sql::worker_accept_session, {worker.id}));
  return std::string("the next session opens whatever its start counter says");
}

Result<std::string> accept(Transaction& transaction, const Context& context, const WorkerRow& worker, Accept what,
                           std::optional<Existing> strangers) {
  switch (what) {
    case Accept::kBrake: return accept_brake(transaction, worker);
    case Accept::kExisting: return accept_existing(transaction, context, worker, strangers);
    case Accept::kIncarnation: return accept_incarnation(transaction, worker, strangers);
    case Accept::kSession: return accept_session(transaction, worker);
  }
  check(false, "unknown hold to accept");
  return std::string();
}

std::string_view name_of(Accept what) {
  switch (what) {
    case Accept::kBrake: return "brake";
    case Accept::kExisting: return "existing";
    case Accept::kIncarnation: return "incarnation";
    case Accept::kSession: return "session";
  }
  check(false, "unknown hold to accept");
  return "";
}

}  // namespace

std::optional<Accept> accept_of(std::string_view name) {
  for (const Accept what : {Accept::kBrake, Accept::kExisting, Accept::kIncarnation, Accept::kSession}) {
    if (name_of(what) == name) return what;
  }
  return std::nullopt;
}

Result<Worker> accept_worker(const Context& context, const WorkerName& name, Accept what, std::optional<Existing> strangers) {
  const auto lift = [&](Transaction& transaction) -> Status {
    const WorkerRow worker = TRY(lock_worker(transaction, name));
    const std::string done_so = TRY(accept(transaction, context, worker, what, strangers));
    const std::string action = "accepted-" + std::string(name_of(what));
    return append_events(transaction, context, {{.action = action, .worker = worker.name, .reason = done_so}});
  };
  TRY(ports::transact(context.database, ports::Access::kWrite, lift));
  return find_worker(context, name);
}

}  // namespace reclaim::fleet
