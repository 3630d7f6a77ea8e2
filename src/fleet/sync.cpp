#include "fleet/sync.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "fleet/events.hpp"
#include "fleet/fence.hpp"
#include "fleet/reconcile.hpp"
#include "fleet/refusals.hpp"
#include "fleet/worker_row.hpp"
#include "fleet/workers.hpp"
#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::fleet {
namespace {

using ports::Rows;
using ports::Transaction;
using ports::Value;
using wire::Json;

inline constexpr std::int64_t kOrdersMax = 1000;     // of one kind in one answer
inline constexpr std::size_t kMalformedKept = 1000;  // names shown; more are counted as these
inline constexpr std::int64_t kReplacesMax = 100;    // lineages named in an answer, the latest

std::int64_t number(ResourceKind kind) { return static_cast<std::int64_t>(kind); }

std::string malformed_text(std::vector<wire::Malformed> malformed) {
  std::ranges::sort(malformed, {}, [](const wire::Malformed& m) { return std::pair(m.kind, m.name); });
  if (malformed.size() > kMalformedKept) malformed.resize(kMalformedKept);
  Json list = Json::array();
  for (const wire::Malformed& m : malformed) list.push_back({{"kind", std::string(name_of(m.kind))}, {"name", m.name}});
  return wire::to_text(list);
}

std::string unlisted_text(const std::vector<wire::Unlisted>& unlisted) {
  Json list = Json::array();
  for (const wire::Unlisted& u : unlisted) list.push_back({{"kind", std::string(name_of(u.kind))}, {"error", u.error}});
  return wire::to_text(list);
}

bool changes_nothing(const std::optional<wire::Inventory>& inventory) {
  return !inventory || (inventory->base && inventory->added.empty() && inventory->removed.empty());
}

bool may_be_quiet(const wire::SyncRequest& request) {
  return request.results.empty() && request.in_hand.containers.empty() && request.in_hand.volumes.empty() &&
         changes_nothing(request.inventories.containers) && changes_nothing(request.inventories.volumes);
}

void add_inventory_values(ports::Values& values, const std::optional<wire::Inventory>& inventory) {
  values.emplace_back(std::int64_t{inventory.has_value()});
  values.push_back(inventory && inventory->base ? Value(*inventory->base) : Value());
  values.push_back(inventory ? Value(inventory->count) : Value());
  values.push_back(inventory ? Value(inventory->digest.hex()) : Value());
}

wire::SyncAnswer quiet_answer(const Context& context, std::int64_t sequence, std::int64_t high_water, std::string lineage) {
  return {
      .sequence = sequence, .lineage = std::move(lineage), .high_water = high_water, .next_sync_ms = context.policy.sync_interval.count()};
}

// The sync of a worker with nothing new, in one statement; empty where it has to go the long way.
Result<std::optional<SyncOutcome>> quiet_sync(const Context& context, const SyncCaller& caller, const wire::SyncRequest& request) {
  ports::Values values{caller.key,       caller.worker, request.session,       request.incarnation,   request.started,
                       request.sequence, request.as_of, context.moment.now.ms, context.moment.wall.ms};
  add_inventory_values(values, request.inventories.containers);
  add_inventory_values(values, request.inventories.volumes);
  values.emplace_back(malformed_text(request.malformed));
  values.push_back(request.disk ? Value(request.disk->total_bytes) : Value());
  values.push_back(request.disk ? Value(request.disk->used_bytes) : Value());
  values.emplace_back(std::int64_t{request.same});
  values.push_back(request.answered ? Value(request.answered->lineage) : Value());
  values.push_back(request.answered ? Value(request.answered->session) : Value());
  values.push_back(request.answered ? Value(request.answered->sequence) : Value());
  values.emplace_back(unlisted_text(request.unlisted));
  const Rows rows = TRY(context.database.run(sql::sync_nothing_new, values));
  if (rows.empty()) return std::optional<SyncOutcome>{};
  SyncOutcome outcome{.worker = WorkerName(rows[0].text(0)), .quiet = true};
  outcome.answer = quiet_answer(context, request.sequence, rows[0].integer(1), rows[0].text_or(2, ""));
  return std::optional<SyncOutcome>(std::move(outcome));
}

// What the database remembers beside the worker's row.
struct Facts {
  Remembered remembered;
  bool fleet_is_frozen = false;
};

Result<Facts> read_facts(Transaction& transaction, const WorkerRow& worker, const wire::SyncRequest& request) {
  const auto text_or_null = [](const std::string* text) { return text != nullptr ? Value(*text) : Value(); };
  const wire::Answered* answered = request.answered ? &*request.answered : nullptr;
  const Rows rows = TRY(transaction.run(
      sql::sync_facts, {worker.name, request.session, request.incarnation, text_or_null(answered != nullptr ? &answered->lineage : nullptr),
                        text_or_null(answered != nullptr ? &answered->session : nullptr)}));
  const ports::Row& row = rows[0];
  Facts facts;
  facts.remembered.lineage = row.text_or(0, "");
  facts.fleet_is_frozen = !row.is_null(1);
  facts.remembered.answered_is_replaced = row.integer(2) != 0;
  if (!row.is_null(3)) facts.remembered.answered_sequence = row.integer(3);
  facts.remembered.session_was_here = row.integer(4) != 0;
  facts.remembered.incarnation_was_here = row.integer(5) != 0;
  return facts;
}

// What one sync came to: the outcome, or why it was refused. Both are committed.
using Verdict = std::variant<SyncOutcome, Refusal>;

// One sync that has something to say, inside its transaction and under the worker's lock.
class Exchange {
 public:
  Exchange(Transaction& transaction, const Context& context, const wire::SyncRequest& request, WorkerRow worker)
      : work_{transaction, context, request, std::move(worker)} {}

  Result<Verdict> run() {
    facts_ = TRY(read_facts(work_.transaction, work_.worker, work_.request));
    const std::variant<Admission, Refusal> verdict = admit(work_.worker, facts_.remembered, work_.request);
    if (const auto* refusal = std::get_if<Refusal>(&verdict)) {
      TRY(record_refusal(work_.transaction, work_.context, work_.worker, work_.request, *refusal));
      return Verdict(*refusal);
    }
    const Admission admission = std::get<Admission>(verdict);
    work_.first_of_session = admission != Admission::kSameSession;
    work_.as_of = work_.first_of_session ? 0 : work_.request.as_of;
    if (work_.first_of_session) TRY(open_session(admission == Admission::kNewIncarnation));
    if (!work_.worker.regressed.empty()) TRY(work_.transaction.run(sql::regression_forget, {work_.worker.id}));
    TRY(move_state());
    TRY(apply_results());
    TRY(apply_in_hand());
    TRY(apply_unlisted());
    TRY(reconcile(work_));
    TRY(give_orders());
    TRY(store());
    TRY(append_events(work_.transaction, work_.context, work_.events));
    work_.outcome.worker = WorkerName(work_.worker.name);
    const wire::SyncAnswer& answer = work_.outcome.answer;
    work_.outcome.quiet =
        answer.destroy.containers.empty() && answer.destroy.volumes.empty() && answer.resync.empty() && !work_.first_of_session;
    return Verdict(std::move(work_.outcome));
  }

 private:
  Status open_session(bool is_new_incarnation) {
    TRY(work_.transaction.run(sql::sync_new_session, {work_.worker.id}));
    if (!work_.worker.session.empty())
      TRY(work_.transaction.run(sql::session_close, {work_.worker.name, work_.worker.session, work_.worker.sequence}));
    TRY(work_.transaction.run(sql::session_open, {work_.worker.name, work_.request.session, work_.request.incarnation}));
    TRY(work_.transaction.run(sql::sessions_trim,
                              {work_.worker.name, work_.request.answered ? Value(work_.request.answered->session) : Value()}));
    TRY(work_.transaction.run(sql::worker_open_session,
                              {work_.worker.id, work_.request.boot.empty() ? Value() : Value(work_.request.boot)}));
    for (const ResourceKind kind : kResourceKinds) work_.worker.inventories[kind].base.reset();
    work_.events.push_back(
        {.action = "session-opened", .worker = work_.worker.name, .reason = "start " + std::to_string(work_.request.started)});
    if (is_new_incarnation) return begin_incarnation();
    const bool has_rebooted = !work_.worker.boot.empty() && !work_.request.boot.empty() && work_.worker.boot != work_.request.boot;
    return has_rebooted ? begin_boot() : done();
  }

  // Whatever rows there are speak of another disk: those that its inventories lack are lost without a grace, those they show stay.
  Status begin_incarnation() {
    const bool operator_accepted = work_.worker.accepted_incarnation == work_.request.incarnation;
    if (!operator_accepted) work_.worker.existing = name_of(Existing::kHold);
    TRY(work_.transaction.run(sql::worker_new_incarnation, {work_.worker.id, work_.worker.existing}));
    for (const ResourceKind kind : kResourceKinds) {
      InventoryRow& inventory = work_.worker.inventories[kind];
      inventory.former = work_.worker.change;
      inventory.judged = -1;
      inventory.brake.clear();
      inventory.brake_lifted = false;
    }
    work_.events.push_back({.action = "incarnation-changed",
                            .worker = work_.worker.name,
                            .from = work_.worker.incarnation,
                            .to = work_.request.incarnation,
                            .reason = operator_accepted ? "accepted by an operator" : "the worker's own operator agreed"});
    return done();
  }

  Status begin_boot() {
    TRY(work_.transaction.run(sql::worker_new_boot, {work_.worker.id}));
    work_.worker.inventories.containers.former = work_.worker.change;
    work_.events.push_back({.action = "rebooted", .worker = work_.worker.name, .reason = "no container of the earlier boot runs any more"});
    return done();
  }

  Status move_state() {
    const WorkerState after = worker_after_sync(work_.worker.state, work_.worker.intent, work_.first_of_session);
    if (after == work_.worker.state) return done();
    TRY(work_.transaction.run(sql::worker_set_state,
                              {work_.worker.id, std::string(name_of(after)), Value(), work_.context.moment.wall.ms, Value(), Value()}));
    work_.events.push_back({.action = "worker-" + std::string(name_of(after)),
                            .worker = work_.worker.name,
                            .from = std::string(name_of(work_.worker.state)),
                            .to = std::string(name_of(after)),
                            .reason = "synced"});
    work_.outcome.marks_changed = true;
    return done();
  }

  bool is_in_hand(const wire::DestroyResult& result) const {
    const std::vector<std::string>& hand = work_.request.in_hand[result.kind];
    return std::ranges::find(hand, result.handle) != hand.end();
  }

  Status apply_results() {
    Json acknowledged = Json::array();
    Json failed = Json::array();
    std::set<std::pair<ResourceKind, std::string>> seen;
    for (const wire::DestroyResult& result : work_.request.results) {
      if (!is_well_formed_name(result.handle) || !seen.emplace(result.kind, result.handle).second) continue;
      if (result.took_ms && !result.stuck) work_.outcome.destroyed.push_back({result.kind, Millis(*result.took_ms)});
      Json item{{"kind", number(result.kind)}, {"handle", result.handle}};
      if (result.succeeded) {
        if (!is_in_hand(result)) acknowledged.push_back(std::move(item));
        continue;
      }
      item["error"] = result.error;
      item["stuck"] = result.stuck ? 1 : 0;
      failed.push_back(std::move(item));
    }
    if (!acknowledged.empty()) TRY(apply_acknowledged(acknowledged));
    if (!failed.empty()) TRY(apply_failed(failed));
    return done();
  }

  // A row goes away on its acknowledgement. What the acknowledged inventory still holds of it stays known, as unknown-to-be, so that
  // an acknowledgement that was not true comes to light.
  Status apply_acknowledged(const Json& acknowledged) {
    const Rows gone = TRY(work_.transaction.run(sql::sync_acknowledged, {work_.worker.id, work_.as_of, wire::to_text(acknowledged)}));
    Json leftovers = Json::array();
    for (const ports::Row& row : gone) {
      const auto kind = static_cast<ResourceKind>(row.integer(0));
      work_.record_gone(kind, row.text(1), true, {row.integer(4)});
      work_.acknowledged.emplace(kind, row.text(1));
      if (row.integer(2) != 0) leftovers.push_back({{"kind", number(kind)}, {"handle", row.text(1)}});
    }
    if (!leftovers.empty())
      TRY(work_.transaction.run(sql::sync_leftovers, {work_.worker.id, work_.high_water(), wire::to_text(leftovers)}));
    return done();
  }

  Status apply_failed(const Json& failed) {
    const Rows rows =
        TRY(work_.transaction.run(sql::sync_failed, {work_.worker.id, work_.as_of, work_.context.moment.now.ms, wire::to_text(failed)}));
    for (const ports::Row& row : rows) {
      const bool stuck = row.integer(4) != 0;
      if (stuck) continue;  // told in every sync until it ends; the row shows it
      const auto kind = static_cast<ResourceKind>(row.integer(0));
      work_.outcome.failed[kind] += 1;
      work_.events.push_back({.action = "destroy-failed",
                              .worker = work_.worker.name,
                              .kind = kind,
                              .handle = row.text(1),
                              .from = "destroying",
                              .to = "destroying",
                              .reason = "attempt " + std::to_string(row.integer(2)) + ": " + row.text_or(3, "")});
    }
    return done();
  }

  Status apply_in_hand() {
    Json hand = Json::array();
    for (const ResourceKind kind : kResourceKinds) {
      for (const std::string& handle : work_.request.in_hand[kind]) {
        if (is_well_formed_name(handle)) hand.push_back({{"kind", number(kind)}, {"handle", handle}});
      }
    }
    const std::string text = wire::to_text(hand);
    TRY(work_.transaction.run(sql::sync_out_of_hand, {work_.worker.id, text}));
    if (!hand.empty()) TRY(work_.transaction.run(sql::sync_into_hand, {work_.worker.id, text, work_.context.moment.now.ms}));
    return done();
  }

  Status apply_unlisted() {
    std::string unlisted = unlisted_text(work_.request.unlisted);
    if (unlisted == work_.worker.unlisted) return done();
    work_.worker.unlisted = std::move(unlisted);
    if (work_.request.unlisted.empty()) {
      work_.events.push_back({.action = "listed", .worker = work_.worker.name, .reason = "every kind is listed again"});
    }
    for (const wire::Unlisted& u : work_.request.unlisted) {
      work_.events.push_back({.action = "unlisted", .worker = work_.worker.name, .kind = u.kind, .reason = "not judged: " + u.error});
    }
    return done();
  }

  Status give_orders() {
    wire::SyncAnswer& answer = work_.outcome.answer;
    answer.sequence = work_.request.sequence;
    answer.lineage = facts_.remembered.lineage;
    const Rows replaced = TRY(work_.transaction.run(sql::replaced_lineages, {kReplacesMax}));
    for (const ports::Row& row : replaced) answer.replaces.push_back(row.text(0));
    answer.next_sync_ms = work_.context.policy.sync_interval.count();
    const bool frozen = !work_.worker.frozen.empty() || facts_.fleet_is_frozen;
    if (!frozen) {
      for (const ResourceKind kind : kResourceKinds) {
        const Rows orders =
            TRY(work_.transaction.run(sql::orders_next, {work_.worker.id, number(kind), work_.context.moment.now.ms, kOrdersMax}));
        for (const ports::Row& row : orders) answer.destroy[kind].push_back(row.text(0));
      }
    }
    if (work_.first_of_session || work_.worker.anew || !answer.resync.empty()) {
      answer.next_sync_ms = 0;
      return done();
    }
    const Rows retry = TRY(work_.transaction.run(sql::orders_next_retry, {work_.worker.id, work_.context.moment.now.ms}));
    if (!retry[0].is_null(0)) answer.next_sync_ms = std::min(answer.next_sync_ms, retry[0].integer(0) - work_.context.moment.now.ms);
    return done();
  }

  Status store() {
    const Moment& moment = work_.context.moment;
    ports::Values values{work_.worker.id,       work_.request.incarnation, work_.request.session,
                         work_.request.started, work_.request.sequence,    moment.now.ms,
                         moment.wall.ms,        work_.high_water()};
    for (const ResourceKind kind : kResourceKinds) {
      const InventoryRow& inventory = work_.worker.inventories[kind];
      values.push_back(inventory.base ? Value(*inventory.base) : Value());
      values.emplace_back(inventory.count);
      values.emplace_back(inventory.digest);
      values.emplace_back(inventory.judged);
    }
    values.emplace_back(malformed_text(work_.malformed));
    values.push_back(work_.request.disk ? Value(work_.request.disk->total_bytes) : Value());
    values.push_back(work_.request.disk ? Value(work_.request.disk->used_bytes) : Value());
    values.emplace_back(work_.ledger.destroyed);
    values.emplace_back(work_.ledger.unknown);
    values.emplace_back(work_.worker.unlisted);
    values.emplace_back(work_.ledger.adopted);
    values.emplace_back(work_.ledger.lost);
    for (const ResourceKind kind : kResourceKinds) {
      const InventoryRow& inventory = work_.worker.inventories[kind];
      values.push_back(inventory.brake.empty() ? Value() : Value(inventory.brake));
      values.emplace_back(std::int64_t{inventory.brake_lifted});
    }
    TRY(work_.transaction.run(sql::sync_store, values));
    work_.outcome.answer.high_water = work_.high_water();
    return done();
  }

  SyncWork work_;
  Facts facts_;
};

Result<WorkerRow> lock_caller(Transaction& transaction, const SyncCaller& caller) {
  if (caller.key.empty()) return lock_worker(transaction, WorkerName(caller.worker));
  const Rows rows = TRY(transaction.run(sql::worker_lock_by_key, {caller.key}));
  if (rows.empty()) return unauthenticated("this key is not enrolled: `reclaim workers enroll NAME --key FILE.pub`");
  return parse_worker_row(rows[0]);
}

}  // namespace

Result<SyncOutcome> sync(const Context& context, const SyncCaller& caller, const wire::SyncRequest& request) {
  if (may_be_quiet(request)) {
    std::optional<SyncOutcome> quiet = TRY(quiet_sync(context, caller, request));
    if (quiet) return *std::move(quiet);
  }
  const auto exchange = [&](Transaction& transaction) -> Result<Verdict> {
    return Exchange(transaction, context, request, TRY(lock_caller(transaction, caller))).run();
  };
  Verdict verdict = TRY(ports::transact(context.database, ports::Access::kWrite, exchange));
  if (const auto* refusal = std::get_if<Refusal>(&verdict)) return to_error(*refusal);
  return std::get<SyncOutcome>(std::move(verdict));
}

Result<wire::SyncAnswer> orders_for_held(const Context& context, const WorkerName& worker, const std::string& session,
                                         std::int64_t sequence) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<wire::SyncAnswer> {
    const WorkerRow row = TRY(lock_worker(transaction, worker));
    const Rows lineage = TRY(transaction.run(sql::meta_read, {std::string("lineage")}));
    const Rows frozen = TRY(transaction.run(sql::meta_read, {std::string("frozen")}));
    wire::SyncAnswer answer = quiet_answer(context, sequence, row.change, lineage.empty() ? "" : lineage[0].text(0));
    const bool latest = row.session == session && row.sequence == sequence;
    if (!latest || row.anew || !row.frozen.empty() || !frozen.empty()) return answer;
    for (const ResourceKind kind : kResourceKinds) {
      const Rows orders = TRY(transaction.run(sql::orders_next, {row.id, number(kind), context.moment.now.ms, kOrdersMax}));
      for (const ports::Row& order : orders) answer.destroy[kind].push_back(order.text(0));
    }
    return answer;
  });
}

}  // namespace reclaim::fleet
