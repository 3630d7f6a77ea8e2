#include "fleet/strangers.hpp"

#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::fleet {
namespace {

// A child's row needs its parent's: one round for each level of a tree.
constexpr int kLevelsMax = 64;

void add_handles(std::vector<std::string>& handles, const ports::Rows& rows) {
  for (const ports::Row& row : rows) handles.push_back(row.text(0));
}

Status rehang(ports::Transaction& transaction, const WorkerRow& worker) {
  TRY(transaction.run(sql::rehang_on_containers, {worker.id}));
  TRY(transaction.run(sql::rehang_on_parents, {worker.id}));
  return done();
}

Result<std::int64_t> adopter(ports::Transaction& transaction, const Context& context, const WorkerRow& worker) {
  const ports::Rows owner =
      TRY(transaction.run(sql::adopt_owner, {adopter_of(WorkerName(worker.name)).str(), context.moment.now.ms, context.moment.wall.ms}));
  return owner[0].integer(0);
}

}  // namespace

Result<std::vector<std::string>> restore_lost(ports::Transaction& transaction, const Context& context, const WorkerRow& worker,
                                              ResourceKind kind, const std::string& handles) {
  std::vector<std::string> restored;
  if (TRY(transaction.run(sql::lost_any, {worker.id})).empty()) return restored;
  const Moment& moment = context.moment;
  const auto number = static_cast<std::int64_t>(kind);
  TRY(transaction.run(sql::lost_hold_owners, {worker.id, number, handles}));
  for (int level = 0; level < kLevelsMax; ++level) {
    const ports::Rows rows = TRY(transaction.run(
        sql::lost_restore, {moment.now.ms, moment.trusted_from.ms, worker.id, number, handles, next_change(worker), moment.wall.ms}));
    if (rows.empty()) break;
    add_handles(restored, rows);
  }
  if (restored.empty()) return restored;
  TRY(rehang(transaction, worker));
  TRY(transaction.run(sql::lost_returned, {worker.id, number, handles}));
  return restored;
}

Result<std::vector<std::string>> restore_supports(ports::Transaction& transaction, const Context& context, const WorkerRow& worker) {
  std::vector<std::string> restored;
  for (int level = 0; level < kLevelsMax; ++level) {
    const ports::Rows rows =
        TRY(transaction.run(sql::support_return, {worker.id, next_change(worker), context.moment.now.ms, context.moment.wall.ms}));
    if (rows.empty()) return restored;
    std::vector<std::string> handles;
    add_handles(handles, rows);
    const std::string list = wire::to_text(wire::Json(handles));
    TRY(transaction.run(sql::support_known, {worker.id, list}));
    TRY(rehang(transaction, worker));
    TRY(transaction.run(sql::lost_returned, {worker.id, static_cast<std::int64_t>(ResourceKind::kVolume), list}));
    add_handles(restored, rows);
  }
  return restored;
}

Result<std::vector<std::string>> adopt_appeared(ports::Transaction& transaction, const Context& context, const WorkerRow& worker,
                                                ResourceKind kind, const std::string& handles) {
  const std::int64_t owner = TRY(adopter(transaction, context, worker));
  const ports::Rows rows = TRY(transaction.run(sql::adopt_appeared, {worker.id, static_cast<std::int64_t>(kind), handles, owner,
                                                                     next_change(worker), context.moment.now.ms, context.moment.wall.ms}));
  std::vector<std::string> adopted;
  add_handles(adopted, rows);
  if (adopted.empty()) return adopted;
  TRY(rehang(transaction, worker));
  TRY(transaction.run(sql::lost_returned, {worker.id, static_cast<std::int64_t>(kind), handles}));
  return adopted;
}

Result<std::int64_t> adopt_held(ports::Transaction& transaction, const Context& context, const WorkerRow& worker) {
  const std::int64_t owner = TRY(adopter(transaction, context, worker));
  const ports::Rows rows =
      TRY(transaction.run(sql::adopt_held, {worker.id, owner, next_change(worker), context.moment.now.ms, context.moment.wall.ms}));
  TRY(transaction.run(sql::held_forget, {worker.id}));
  TRY(rehang(transaction, worker));
  if (rows.changed > 0) TRY(transaction.run(sql::worker_add_adopted, {worker.id, rows.changed}));
  return rows.changed;
}

}  // namespace reclaim::fleet
