#include "fleet/lineage.hpp"

#include <utility>

#include "fleet/events.hpp"
#include "fleet/worker_row.hpp"
#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::fleet {
namespace {

constexpr std::int64_t kReplacesMax = 100;
constexpr std::int64_t kRegressedMax = 100'000;
constexpr std::int64_t kWorkersAtOnce = 1000;

using ports::Transaction;

Result<Lineage> read(Transaction& transaction) {
  Lineage lineage;
  const ports::Rows present = TRY(transaction.run(sql::meta_read, {std::string("lineage")}));
  if (!present.empty()) lineage.id = present[0].text(0);
  const ports::Rows replaced = TRY(transaction.run(sql::replaced_lineages, {kReplacesMax}));
  for (const ports::Row& row : replaced) lineage.replaces.push_back(row.text(0));
  const ports::Rows regressed = TRY(transaction.run(sql::regression_list, {kRegressedMax}));
  for (const ports::Row& row : regressed) {
    RegressedWorker worker{.worker = WorkerName(row.text(0)),
                           .since = {row.integer(1)},
                           .reason = row.text(2),
                           .lineage = row.text(3),
                           .unknown = {row.integer(4), row.integer(5)},
                           .unknown_names = {}};
    const wire::Json names = TRY(wire::parse_json(row.text(6)));
    for (const wire::Json& name : names) worker.unknown_names.push_back(name.get<std::string>());
    lineage.regressed.push_back(std::move(worker));
  }
  return lineage;
}

// Its rows say what was once so; the worker's first inventories say what is.
Status forget(Transaction& transaction, const Moment& moment, const WorkerName& name, Existing unknown) {
  const WorkerRow worker = TRY(lock_worker(transaction, name));
  TRY(transaction.run(sql::lineage_remember_links, {worker.id, moment.now.ms}));
  const ports::Rows marks = TRY(transaction.run(sql::lineage_forget_marks, {worker.id}));
  TRY(transaction.run(sql::lineage_forget_unknowns, {worker.id}));
  TRY(transaction.run(sql::lineage_meet_anew, {worker.id, std::string(name_of(unknown)), marks.changed}));
  TRY(transaction.run(sql::regression_forget, {worker.id}));
  return done();
}

// What the copy shows as creating may have been confirmed since.
Status trust_creating(Transaction& transaction, const Moment& moment) {
  TRY(transaction.run(sql::lineage_change_creating, ports::Values{}));
  TRY(transaction.run(sql::lineage_trust_creating, {moment.now.ms, moment.wall.ms}));
  return done();
}

// A worker that synced neither between the copy and the loss nor in between proves nothing, and may have been given things all the same.
Status adopt_everywhere(Transaction& transaction) {
  TRY(transaction.run(sql::lineage_forget_all_unknowns, ports::Values{}));
  TRY(transaction.run(sql::lineage_meet_all_to_adopt, ports::Values{}));
  return done();
}

// In the place of `before`; every worker begins anew.
Status begin(Transaction& transaction, const Context& context, const Lineage& before, const std::string& id, std::vector<Event> events,
             const std::string& reason) {
  TRY(transaction.run(sql::lineage_replace, {before.id}));
  TRY(transaction.run(sql::meta_put, {std::string("lineage"), id}));
  TRY(transaction.run(sql::workers_begin_anew, ports::Values{}));
  TRY(trust_creating(transaction, context.moment));
  events.push_back({.action = "lineage-begun", .from = before.id, .to = id, .reason = reason});
  return append_events(transaction, context, events);
}

Status forget_every_worker(Transaction& transaction, const Moment& moment) {
  std::string last;
  for (;;) {
    const ports::Rows rows = TRY(transaction.run(sql::worker_list, {last, kWorkersAtOnce}));
    if (rows.empty()) return done();
    for (const ports::Row& row : rows) {
      last = parse_worker_row(row).name;
      TRY(forget(transaction, moment, WorkerName(last), Existing::kAdopt));
    }
  }
}

}  // namespace

Result<Lineage> read_lineage(const Context& context) {
  return ports::transact(context.database, ports::Access::kRead, [](Transaction& transaction) { return read(transaction); });
}

Result<Lineage> accept_lineage(const Context& context, const std::string& id, Existing unknown) {
  if (unknown == Existing::kHold) return invalid("unknown", "must be adopt or destroy");
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Lineage> {
    const ports::Rows present = TRY(transaction.run(sql::lineage_lock, ports::Values{}));
    check(present.size() == 1, "a served database has a lineage");
    const Lineage before = TRY(read(transaction));
    std::vector<Event> events;
    if (unknown == Existing::kAdopt) TRY(adopt_everywhere(transaction));
    for (const RegressedWorker& worker : before.regressed) {
      if (!worker.lineage.empty()) TRY(transaction.run(sql::lineage_replace, {worker.lineage}));
      TRY(forget(transaction, context.moment, worker.worker, unknown));
      events.push_back({.action = "accepted-lineage",
                        .worker = worker.worker.str(),
                        .reason = "its marks are forgotten; what is unknown there: " + std::string(name_of(unknown))});
    }
    TRY(begin(transaction, context, before, id, std::move(events), std::to_string(before.regressed.size()) + " workers had seen more"));
    return read(transaction);
  });
}

Result<Lineage> restore_lineage(const Context& context, const std::string& id) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Lineage> {
    const Lineage before = TRY(read(transaction));
    if (before.id.empty()) return conflict("the database has no lineage: nobody has ever served it");
    for (const RegressedWorker& worker : before.regressed) {
      if (!worker.lineage.empty()) TRY(transaction.run(sql::lineage_replace, {worker.lineage}));
    }
    TRY(forget_every_worker(transaction, context.moment));
    TRY(begin(transaction, context, before, id, {}, "the database was restored from a copy"));
    return read(transaction);
  });
}

}  // namespace reclaim::fleet
