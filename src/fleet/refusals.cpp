#include "fleet/refusals.hpp"

#include <algorithm>

#include "fleet/events.hpp"
#include "fleet/inventory.hpp"
#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::fleet {
namespace {

constexpr std::size_t kNamesShown = 20;  // of each kind

Status tell(ports::Transaction& transaction, const Context& context, const WorkerRow& worker, const char* action, const std::string& why) {
  return append_events(transaction, context, {{.action = action, .worker = worker.name, .reason = why}});
}

// How many of the worker's things have no row here, and the names of the first few: what an accepted lineage would call unknown.
Status count_strangers(ports::Transaction& transaction, const WorkerRow& worker, const wire::SyncRequest& request,
                       wire::PerKind<std::int64_t>& counts, wire::Json& names) {
  for (const ResourceKind kind : kResourceKinds) {
    const std::optional<wire::Inventory>& inventory = request.inventories[kind];
    if (!inventory || inventory->base) continue;
    const Reported reported = split_well_formed(inventory->added);
    const ports::Rows rows = TRY(transaction.run(
        sql::regression_strangers, {worker.id, static_cast<std::int64_t>(kind), wire::to_text(wire::Json(reported.handles))}));
    counts[kind] = static_cast<std::int64_t>(rows.size());
    for (std::size_t i = 0; i < std::min(rows.size(), kNamesShown); ++i) {
      names.push_back(std::string(name_of(kind)) + " " + rows[i].text(0));
    }
  }
  return done();
}

Status record_regression(ports::Transaction& transaction, const Context& context, const WorkerRow& worker, const wire::SyncRequest& request,
                         const Refusal& refusal) {
  wire::PerKind<std::int64_t> counts;
  wire::Json names = wire::Json::array();
  TRY(count_strangers(transaction, worker, request, counts, names));
  TRY(transaction.run(sql::regression_record,
                      {worker.id, context.moment.wall.ms, refusal.message, request.answered ? request.answered->lineage : std::string(),
                       counts.containers, counts.volumes, wire::to_text(names)}));
  if (!worker.regressed.empty()) return done();
  return tell(transaction, context, worker, "lineage-lost", refusal.message);
}

Status record_incarnation(ports::Transaction& transaction, const Context& context, const WorkerRow& worker,
                          const wire::SyncRequest& request, const Refusal& refusal) {
  if (worker.held_incarnation == request.incarnation) return done();
  TRY(transaction.run(sql::worker_hold_incarnation, {worker.id, request.incarnation}));
  return tell(transaction, context, worker, "incarnation-held", refusal.message);
}

Status record_superseded(ports::Transaction& transaction, const Context& context, const WorkerRow& worker, const wire::SyncRequest& request,
                         const Refusal& refusal) {
  if (request.incarnation != worker.incarnation) TRY(record_incarnation(transaction, context, worker, request, refusal));
  if (worker.refused_session == request.session) return done();
  TRY(transaction.run(sql::worker_refuse_session, {worker.id, request.session}));
  return tell(transaction, context, worker, "session-refused", refusal.message);
}

}  // namespace

Status record_refusal(ports::Transaction& transaction, const Context& context, const WorkerRow& worker, const wire::SyncRequest& request,
                      const Refusal& refusal) {
  switch (refusal.kind) {
    case Refusal::Kind::kSequence:
    case Refusal::Kind::kBeginAnew: return done();
    case Refusal::Kind::kSuperseded: return record_superseded(transaction, context, worker, request, refusal);
    case Refusal::Kind::kHeldIncarnation: return record_incarnation(transaction, context, worker, request, refusal);
    case Refusal::Kind::kRegressed: return record_regression(transaction, context, worker, request, refusal);
  }
  check(false, "unknown refusal");
  return done();
}

}  // namespace reclaim::fleet
