#include "fleet/sync.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "fleet/brake.hpp"
#include "fleet/events.hpp"
#include "fleet/fence.hpp"
#include "fleet/inventory.hpp"
#include "fleet/refusals.hpp"
#include "fleet/strangers.hpp"
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
inline constexpr std::size_t kNamesInEvent = 10;
inline constexpr std::int64_t kReplacesMax = 100;  // lineages named in an answer, the latest

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
      : transaction_(transaction), context_(context), request_(request), worker_(std::move(worker)) {}

  Result<Verdict> run() {
    facts_ = TRY(read_facts(transaction_, worker_, request_));
    const std::variant<Admission, Refusal> verdict = admit(worker_, facts_.remembered, request_);
    if (const auto* refusal = std::get_if<Refusal>(&verdict)) {
      TRY(record_refusal(transaction_, context_, worker_, request_, *refusal));
      return Verdict(*refusal);
    }
    const Admission admission = std::get<Admission>(verdict);
    first_of_session_ = admission != Admission::kSameSession;
    as_of_ = first_of_session_ ? 0 : request_.as_of;
    if (first_of_session_) TRY(open_session(admission == Admission::kNewIncarnation));
    if (!worker_.regressed.empty()) TRY(transaction_.run(sql::regression_forget, {worker_.id}));
    TRY(move_state());
    TRY(apply_results());
    TRY(apply_in_hand());
    malformed_ = request_.malformed;
    TRY(apply_ambiguous());
    TRY(apply_unlisted());
    for (const ResourceKind kind : kResourceKinds) TRY(reconcile(kind));
    TRY(act_on_unknown_at_once());
    TRY(give_orders());
    TRY(store());
    TRY(append_events(transaction_, context_, events_));
    outcome_.worker = WorkerName(worker_.name);
    const wire::SyncAnswer& answer = outcome_.answer;
    outcome_.quiet = answer.destroy.containers.empty() && answer.destroy.volumes.empty() && answer.resync.empty() && !first_of_session_;
    return Verdict(std::move(outcome_));
  }

 private:
  std::int64_t high_water() const { return changed_ ? next_change(worker_) : worker_.change; }

  void record_gone(ResourceKind kind, const std::string& handle, bool acknowledged, ServiceTime marked) {
    events_.push_back({.action = "gone",
                       .worker = worker_.name,
                       .kind = kind,
                       .handle = handle,
                       .from = "destroying",
                       .to = "gone",
                       .reason = acknowledged ? "acknowledged" : "absent from the inventory"});
    outcome_.gone.push_back({kind, acknowledged, std::max(Millis(0), context_.moment.now - marked)});
    destroyed_ += 1;
    changed_ = true;
    outcome_.marks_changed = true;
  }

  Status open_session(bool is_new_incarnation) {
    TRY(transaction_.run(sql::sync_new_session, {worker_.id}));
    if (!worker_.session.empty()) TRY(transaction_.run(sql::session_close, {worker_.name, worker_.session, worker_.sequence}));
    TRY(transaction_.run(sql::session_open, {worker_.name, request_.session, request_.incarnation}));
    TRY(transaction_.run(sql::sessions_trim, {worker_.name, request_.answered ? Value(request_.answered->session) : Value()}));
    TRY(transaction_.run(sql::worker_open_session, {worker_.id, request_.boot.empty() ? Value() : Value(request_.boot)}));
    for (const ResourceKind kind : kResourceKinds) worker_.inventories[kind].base.reset();
    events_.push_back({.action = "session-opened", .worker = worker_.name, .reason = "start " + std::to_string(request_.started)});
    if (is_new_incarnation) return begin_incarnation();
    const bool has_rebooted = !worker_.boot.empty() && !request_.boot.empty() && worker_.boot != request_.boot;
    return has_rebooted ? begin_boot() : done();
  }

  // Whatever rows there are speak of another disk: those that its inventories lack are lost without a grace, those they show stay.
  Status begin_incarnation() {
    const bool operator_accepted = worker_.accepted_incarnation == request_.incarnation;
    if (!operator_accepted) worker_.existing = name_of(Existing::kHold);
    TRY(transaction_.run(sql::worker_new_incarnation, {worker_.id, worker_.existing}));
    for (const ResourceKind kind : kResourceKinds) {
      InventoryRow& inventory = worker_.inventories[kind];
      inventory.former = worker_.change;
      inventory.judged = -1;
      inventory.brake.clear();
      inventory.brake_lifted = false;
    }
    events_.push_back({.action = "incarnation-changed",
                       .worker = worker_.name,
                       .from = worker_.incarnation,
                       .to = request_.incarnation,
                       .reason = operator_accepted ? "accepted by an operator" : "the worker's own operator agreed"});
    return done();
  }

  Status begin_boot() {
    TRY(transaction_.run(sql::worker_new_boot, {worker_.id}));
    worker_.inventories.containers.former = worker_.change;
    events_.push_back({.action = "rebooted", .worker = worker_.name, .reason = "no container of the earlier boot runs any more"});
    return done();
  }

  Status move_state() {
    const WorkerState after = worker_after_sync(worker_.state, worker_.intent, first_of_session_);
    if (after == worker_.state) return done();
    TRY(transaction_.run(sql::worker_set_state,
                         {worker_.id, std::string(name_of(after)), Value(), context_.moment.wall.ms, Value(), Value()}));
    events_.push_back({.action = "worker-" + std::string(name_of(after)),
                       .worker = worker_.name,
                       .from = std::string(name_of(worker_.state)),
                       .to = std::string(name_of(after)),
                       .reason = "synced"});
    outcome_.marks_changed = true;
    return done();
  }

  bool is_in_hand(const wire::DestroyResult& result) const {
    const std::vector<std::string>& hand = request_.in_hand[result.kind];
    return std::ranges::find(hand, result.handle) != hand.end();
  }

  Status apply_results() {
    Json acknowledged = Json::array();
    Json failed = Json::array();
    std::set<std::pair<ResourceKind, std::string>> seen;
    for (const wire::DestroyResult& result : request_.results) {
      if (!is_well_formed_name(result.handle) || !seen.emplace(result.kind, result.handle).second) continue;
      if (result.took_ms && !result.stuck) outcome_.destroyed.push_back({result.kind, Millis(*result.took_ms)});
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
    const Rows gone = TRY(transaction_.run(sql::sync_acknowledged, {worker_.id, as_of_, wire::to_text(acknowledged)}));
    Json leftovers = Json::array();
    for (const ports::Row& row : gone) {
      const auto kind = static_cast<ResourceKind>(row.integer(0));
      record_gone(kind, row.text(1), true, {row.integer(4)});
      acknowledged_.emplace(kind, row.text(1));
      if (row.integer(2) != 0) leftovers.push_back({{"kind", number(kind)}, {"handle", row.text(1)}});
    }
    if (!leftovers.empty()) TRY(transaction_.run(sql::sync_leftovers, {worker_.id, high_water(), wire::to_text(leftovers)}));
    return done();
  }

  Status apply_failed(const Json& failed) {
    const Rows rows = TRY(transaction_.run(sql::sync_failed, {worker_.id, as_of_, context_.moment.now.ms, wire::to_text(failed)}));
    for (const ports::Row& row : rows) {
      const bool stuck = row.integer(4) != 0;
      if (stuck) continue;  // told in every sync until it ends; the row shows it
      const auto kind = static_cast<ResourceKind>(row.integer(0));
      outcome_.failed[kind] += 1;
      events_.push_back({.action = "destroy-failed",
                         .worker = worker_.name,
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
      for (const std::string& handle : request_.in_hand[kind]) {
        if (is_well_formed_name(handle)) hand.push_back({{"kind", number(kind)}, {"handle", handle}});
      }
    }
    const std::string text = wire::to_text(hand);
    TRY(transaction_.run(sql::sync_out_of_hand, {worker_.id, text}));
    if (!hand.empty()) TRY(transaction_.run(sql::sync_into_hand, {worker_.id, text}));
    return done();
  }

  // A handle under two roots is in no inventory, and yet there: its row is neither missing nor gone.
  Status apply_ambiguous() {
    Json ambiguous = Json::array();
    for (const wire::Malformed& m : request_.malformed) {
      if (is_well_formed_name(m.name)) ambiguous.push_back({{"kind", number(m.kind)}, {"handle", m.name}});
    }
    if (ambiguous.empty() && worker_.malformed == "[]") return done();
    TRY(transaction_.run(sql::inventory_unambiguous, {worker_.id}));
    if (!ambiguous.empty()) TRY(transaction_.run(sql::inventory_ambiguous, {worker_.id, wire::to_text(ambiguous)}));
    return done();
  }

  Status apply_unlisted() {
    std::string unlisted = unlisted_text(request_.unlisted);
    if (unlisted == worker_.unlisted) return done();
    worker_.unlisted = std::move(unlisted);
    if (request_.unlisted.empty()) {
      events_.push_back({.action = "listed", .worker = worker_.name, .reason = "every kind is listed again"});
    }
    for (const wire::Unlisted& u : request_.unlisted) {
      events_.push_back({.action = "unlisted", .worker = worker_.name, .kind = u.kind, .reason = "not judged: " + u.error});
    }
    return done();
  }

  // The change from the set that the server holds to the one that the worker reports; empty where the two do not meet: resync.
  Result<std::optional<SetChange>> change_of(ResourceKind kind, const wire::Inventory& inventory, SetSummary& after) {
    const InventoryRow& held = worker_.inventories[kind];
    const SetSummary before{.count = held.count, .digest = TRY(SetDigest::from_hex(held.digest))};
    Reported added = split_well_formed(inventory.added);
    for (std::string& name : added.malformed) malformed_.push_back({kind, std::move(name)});
    if (inventory.base) {
      SetChange change{std::move(added.handles), split_well_formed(inventory.removed).handles};
      after = after_change(before, change);
      const bool meets = held.base == inventory.base && after == SetSummary{inventory.count, inventory.digest};
      return meets ? std::optional<SetChange>(std::move(change)) : std::nullopt;
    }
    after = summary_of(added.handles);
    if (after == before) return std::optional<SetChange>(SetChange{});
    const Rows rows = TRY(transaction_.run(sql::inventory_read, {worker_.id, number(kind)}));
    std::vector<std::string> handles;
    handles.reserve(rows.size());
    for (const ports::Row& row : rows) handles.push_back(row.text(0));
    std::ranges::sort(handles);
    return std::optional<SetChange>(difference(handles, added.handles));
  }

  Status reconcile(ResourceKind kind) {
    const std::optional<wire::Inventory>& inventory = request_.inventories[kind];
    InventoryRow& held = worker_.inventories[kind];
    const bool known = held.base.has_value();
    if (!inventory && !(request_.same && known)) {
      if (request_.same) outcome_.answer.resync.push_back(kind);
      return done();
    }
    if (inventory) {
      SetSummary after;
      const std::optional<SetChange> change = TRY(change_of(kind, *inventory, after));
      if (!change) {
        outcome_.answer.resync.push_back(kind);
        return done();
      }
      TRY(apply_change(kind, *change));
      held.base = request_.sequence;
      held.count = after.count;
      held.digest = after.digest.hex();
    }
    if (TRY(is_braked(kind))) return done();
    TRY(judge(kind));
    held.judged = std::max(held.judged, as_of_);
    return done();
  }

  // An inventory that would do too much is kept as what the worker said, and judges nothing.
  Result<bool> is_braked(ResourceKind kind) {
    InventoryRow& held = worker_.inventories[kind];
    const bool was_lifted = std::exchange(held.brake_lifted, false);
    const std::string before = std::exchange(held.brake, "");
    if (!was_lifted) {
      const Rows rows =
          TRY(transaction_.run(sql::judge_impact, {worker_.id, number(kind), as_of_, held.former, context_.policy.brake_min}));
      held.brake = brake_reason(kind, {rows[0].integer(0), rows[0].integer(1), rows[0].integer(2)}, context_.policy);
    }
    if (before.empty() != held.brake.empty()) {
      events_.push_back(
          {.action = held.brake.empty() ? "brake-released" : "braked",
           .worker = worker_.name,
           .kind = kind,
           .reason = held.brake.empty() ? (was_lifted ? "lifted by an operator" : "later inventories disagree") : held.brake});
    }
    return !held.brake.empty();
  }

  Status apply_change(ResourceKind kind, const SetChange& change) {
    if (!change.appeared.empty()) {
      const std::string appeared = wire::to_text(Json(change.appeared));
      TRY(transaction_.run(sql::inventory_appeared, {worker_.id, number(kind), appeared}));
      TRY(meet_strangers(kind, appeared));
    }
    if (!change.vanished.empty()) {
      const std::string vanished = wire::to_text(Json(change.vanished));
      TRY(transaction_.run(sql::inventory_vanished, {worker_.id, number(kind), vanished}));
      TRY(transaction_.run(sql::inventory_vanished_unknown, {worker_.id, number(kind), vanished}));
    }
    return done();
  }

  // What appears without a row is restored, adopted at first contact, or unknown.
  Status meet_strangers(ResourceKind kind, const std::string& appeared) {
    const std::vector<std::string> restored = TRY(restore_lost(transaction_, context_, worker_, kind, appeared));
    record_rows("restored", kind, restored, "came back and is still wanted");
    lost_ -= static_cast<std::int64_t>(restored.size());
    const bool is_first_contact = worker_.inventories[kind].judged < 0;
    if (is_first_contact && worker_.existing == name_of(Existing::kAdopt)) {
      const std::vector<std::string> adopted = TRY(adopt_appeared(transaction_, context_, worker_, kind, appeared));
      record_rows("adopted", kind, adopted, "found at first contact");
      adopted_ += static_cast<std::int64_t>(adopted.size());
      return done();
    }
    const bool is_agreed = is_first_contact && worker_.existing == name_of(Existing::kDestroy);
    const bool is_held = is_first_contact && !is_agreed;
    const Rows strangers = TRY(transaction_.run(sql::inventory_appeared_unknown, {worker_.id, number(kind), appeared, high_water(),
                                                                                  std::int64_t{is_held}, std::int64_t{is_agreed}}));
    record_some("unknown", kind, strangers, is_held ? "found at first contact, held for the operator" : "on the worker without a record");
    return done();
  }

  // One event for each row that was made for a handle.
  void record_rows(const std::string& action, ResourceKind kind, const std::vector<std::string>& handles, const std::string& why) {
    for (const std::string& handle : handles) {
      events_.push_back({.action = action, .worker = worker_.name, .kind = kind, .handle = handle, .to = "created", .reason = why});
    }
    if (handles.empty()) return;
    changed_ = true;
    outcome_.marks_changed = true;
  }

  // One event for many: how many, and the first few names.
  // What this very sync acknowledges is taken as absent from its inventory, so it is nothing to speak of.
  void record_some(const std::string& action, ResourceKind kind, const Rows& handles, const std::string& why) {
    std::size_t count = 0;
    std::string names;
    for (const ports::Row& row : handles) {
      if (acknowledged_.contains({kind, row.text(0)})) continue;
      if (++count <= kNamesInEvent) names += " " + row.text(0);
    }
    if (count == 0) return;
    if (count > kNamesInEvent) names += " ...";
    events_.push_back({.action = action, .worker = worker_.name, .kind = kind, .reason = std::to_string(count) + " " + why + ":" + names});
    outcome_.marks_changed = true;
  }

  // Every rule about absence, at this inventory's as_of: rows that changed after it are left alone.
  Status judge(ResourceKind kind) {
    const Rows missing =
        TRY(transaction_.run(sql::judge_missing, {worker_.id, number(kind), as_of_, context_.moment.now.ms, context_.moment.wall.ms}));
    record_some("missing", kind, missing, "missing from the inventory");
    const Rows gone = TRY(transaction_.run(sql::judge_gone, {worker_.id, number(kind), as_of_}));
    for (const ports::Row& row : gone) record_gone(kind, row.text(0), false, {row.integer(2)});
    TRY(transaction_.run(sql::judge_unknown, {worker_.id, number(kind), as_of_, context_.moment.now.ms}));
    return done();
  }

  // An unknown grace of nothing acts in the sync that shows the stranger; what one slice does not hold is the collector's.
  Status act_on_unknown_at_once() {
    if (context_.policy.unknown_grace > Millis(0)) return done();
    const Moment& moment = context_.moment;
    const std::int64_t change = next_change(worker_);
    const Rows marked = TRY(transaction_.run(
        sql::unknown_mark, {moment.now.ms, moment.trusted_from.ms, std::int64_t{0}, worker_.id, kSliceMax, change, moment.wall.ms}));
    if (marked.empty()) return done();
    TRY(transaction_.run(sql::unknown_marked, {worker_.id, change}));
    for (const ports::Row& row : marked) {
      events_.push_back({.action = "marked",
                         .worker = worker_.name,
                         .kind = static_cast<ResourceKind>(row.integer(0)),
                         .handle = row.text(1),
                         .to = "destroying",
                         .reason = row.text(2)});
    }
    unknown_ += static_cast<std::int64_t>(marked.size());
    changed_ = true;
    outcome_.marks_changed = true;
    return done();
  }

  Status give_orders() {
    wire::SyncAnswer& answer = outcome_.answer;
    answer.sequence = request_.sequence;
    answer.lineage = facts_.remembered.lineage;
    const Rows replaced = TRY(transaction_.run(sql::replaced_lineages, {kReplacesMax}));
    for (const ports::Row& row : replaced) answer.replaces.push_back(row.text(0));
    answer.next_sync_ms = context_.policy.sync_interval.count();
    const bool frozen = !worker_.frozen.empty() || facts_.fleet_is_frozen;
    if (!frozen) {
      for (const ResourceKind kind : kResourceKinds) {
        const Rows orders = TRY(transaction_.run(sql::orders_next, {worker_.id, number(kind), context_.moment.now.ms, kOrdersMax}));
        for (const ports::Row& row : orders) answer.destroy[kind].push_back(row.text(0));
      }
    }
    if (first_of_session_ || worker_.anew || !answer.resync.empty()) {
      answer.next_sync_ms = 0;
      return done();
    }
    const Rows retry = TRY(transaction_.run(sql::orders_next_retry, {worker_.id, context_.moment.now.ms}));
    if (!retry[0].is_null(0)) answer.next_sync_ms = std::min(answer.next_sync_ms, retry[0].integer(0) - context_.moment.now.ms);
    return done();
  }

  Status store() {
    const Moment& moment = context_.moment;
    ports::Values values{worker_.id,        request_.incarnation, request_.session, request_.started,
                         request_.sequence, moment.now.ms,        moment.wall.ms,   high_water()};
    for (const ResourceKind kind : kResourceKinds) {
      const InventoryRow& inventory = worker_.inventories[kind];
      values.push_back(inventory.base ? Value(*inventory.base) : Value());
      values.emplace_back(inventory.count);
      values.emplace_back(inventory.digest);
      values.emplace_back(inventory.judged);
    }
    values.emplace_back(malformed_text(malformed_));
    values.push_back(request_.disk ? Value(request_.disk->total_bytes) : Value());
    values.push_back(request_.disk ? Value(request_.disk->used_bytes) : Value());
    values.emplace_back(destroyed_);
    values.emplace_back(unknown_);
    values.emplace_back(worker_.unlisted);
    values.emplace_back(adopted_);
    values.emplace_back(lost_);
    for (const ResourceKind kind : kResourceKinds) {
      const InventoryRow& inventory = worker_.inventories[kind];
      values.push_back(inventory.brake.empty() ? Value() : Value(inventory.brake));
      values.emplace_back(std::int64_t{inventory.brake_lifted});
    }
    TRY(transaction_.run(sql::sync_store, values));
    outcome_.answer.high_water = high_water();
    return done();
  }

  Transaction& transaction_;
  const Context& context_;
  const wire::SyncRequest& request_;
  WorkerRow worker_;
  Facts facts_;
  SyncOutcome outcome_;
  std::vector<Event> events_;
  std::set<std::pair<ResourceKind, std::string>> acknowledged_;
  std::vector<wire::Malformed> malformed_;
  std::int64_t as_of_ = 0;
  std::int64_t destroyed_ = 0;
  std::int64_t unknown_ = 0;
  std::int64_t adopted_ = 0;
  std::int64_t lost_ = 0;  // negative: restored
  bool first_of_session_ = false;
  bool changed_ = false;
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
