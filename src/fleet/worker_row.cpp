#include "fleet/worker_row.hpp"

#include "base/check.hpp"
#include "ports/statements.hpp"

namespace reclaim::fleet {
namespace {

WorkerState state_of(const std::string& name) {
  const std::optional<WorkerState> state = worker_state_of(name);
  check(state.has_value(), "a worker's state is one of the table's");
  return *state;
}

// The columns of a kind lie in two places: what the last inventory was, and how it is judged.
InventoryRow parse_inventory(const ports::Row& row, std::size_t column, std::size_t judging) {
  InventoryRow inventory;
  if (!row.is_null(column)) inventory.base = row.integer(column);
  inventory.count = row.integer(column + 1);
  inventory.digest = row.text(column + 2);
  inventory.judged = row.integer(column + 3);
  inventory.former = row.integer(judging);
  inventory.brake = row.text_or(judging + 1, "");
  inventory.brake_lifted = row.integer(judging + 2) != 0;
  return inventory;
}

}  // namespace

WorkerRow parse_worker_row(const ports::Row& row) {
  WorkerRow worker;
  worker.id = row.integer(0);
  worker.name = row.text(1);
  worker.state = state_of(row.text(2));
  if (!row.is_null(3)) worker.intent = state_of(row.text(3));
  worker.since = {row.integer(4)};
  worker.incarnation = row.text_or(5, "");
  worker.session = row.text_or(6, "");
  worker.started = row.integer(7);
  worker.sequence = row.integer(8);
  if (!row.is_null(9)) worker.synced = ServiceTime{row.integer(9)};
  if (!row.is_null(10)) worker.synced_wall = WallTime{row.integer(10)};
  worker.ephemeral = row.integer(11) != 0;
  worker.tags = row.text(12);
  worker.existing = row.text(13);
  worker.change = row.integer(14);
  worker.inventories.containers = parse_inventory(row, 15, 29);
  worker.inventories.volumes = parse_inventory(row, 19, 32);
  worker.malformed = row.text(23);
  if (!row.is_null(24)) worker.disk = wire::Disk{row.integer(24), row.integer_or(25, 0)};
  worker.frozen = row.text_or(26, "");
  worker.landed_session = row.text_or(27, "");
  if (!row.is_null(28)) worker.stalled_at = ServiceTime{row.integer(28)};
  worker.unlisted = row.text(35);
  worker.boot = row.text_or(36, "");
  worker.held_incarnation = row.text_or(37, "");
  worker.accepted_incarnation = row.text_or(38, "");
  worker.session_accepted = row.integer(39) != 0;
  worker.refused_session = row.text_or(40, "");
  worker.anew = row.integer(41) != 0;
  worker.regressed = row.text_or(42, "");
  return worker;
}

Result<WorkerRow> lock_worker(ports::Transaction& transaction, const WorkerName& name) {
  const ports::Rows rows = TRY(transaction.run(sql::worker_lock, {name.str()}));
  if (rows.empty()) return not_found("no worker " + name.str());
  return parse_worker_row(rows[0]);
}

Result<WorkerRow> lock_worker(ports::Transaction& transaction, std::int64_t id) {
  const ports::Rows rows = TRY(transaction.run(sql::worker_lock_by_id, {id}));
  if (rows.empty()) return not_found("no such worker any more");
  return parse_worker_row(rows[0]);
}

bool is_stalled(const WorkerRow& worker, const Context& context) {
  if (worker.state == WorkerState::kStalled) return true;
  const Millis expiry = worker.ephemeral ? context.policy.ephemeral_expiry : context.policy.worker_expiry;
  return worker.synced && context.moment.has_run_out(*worker.synced, expiry);
}

Status draw_change(ports::Transaction& transaction, const WorkerRow& worker) {
  const ports::Rows rows = TRY(transaction.run(sql::worker_draw_change, {worker.id}));
  check(rows.size() == 1 && rows[0].integer(0) == next_change(worker), "change numbers are drawn under the worker's lock");
  return done();
}

Status hold_claim(ports::Transaction& transaction, const Claim& claim) {
  const ports::Rows rows = TRY(transaction.run(sql::claim_hold, {claim.name, claim.holder, claim.epoch}));
  if (rows.empty()) return fenced("the claim on " + claim.name + " has moved on", "epoch");
  return done();
}

}  // namespace reclaim::fleet
