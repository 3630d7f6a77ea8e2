#include "fleet/reconcile.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include "fleet/brake.hpp"
#include "fleet/inventory.hpp"
#include "fleet/strangers.hpp"
#include "fleet/workers.hpp"
#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::fleet {
namespace {

using ports::Rows;
using wire::Json;

inline constexpr std::size_t kNamesInEvent = 10;
inline constexpr std::size_t kHandlesOfStatement = 100'000;

std::int64_t number(ResourceKind kind) { return static_cast<std::int64_t>(kind); }

class Reconciler {
 public:
  explicit Reconciler(SyncWork& work) : work_(work) {}

  Status run() {
    work_.malformed = work_.request.malformed;
    TRY(apply_ambiguous());
    for (const ResourceKind kind : kResourceKinds) TRY(reconcile(kind));
    return act_on_unknown_at_once();
  }

 private:
  // A handle under two roots is in no inventory, and yet there: its row is neither missing nor gone.
  Status apply_ambiguous() {
    Json ambiguous = Json::array();
    for (const wire::Malformed& m : work_.request.malformed) {
      if (is_well_formed_name(m.name)) ambiguous.push_back({{"kind", number(m.kind)}, {"handle", m.name}});
    }
    if (ambiguous.empty() && work_.worker.malformed == "[]") return done();
    TRY(work_.transaction.run(sql::inventory_unambiguous, {work_.worker.id}));
    if (!ambiguous.empty()) TRY(work_.transaction.run(sql::inventory_ambiguous, {work_.worker.id, wire::to_text(ambiguous)}));
    return done();
  }

  // The change from the set that the server holds to the one that the worker reports; empty where the two do not meet: resync.
  Result<std::optional<SetChange>> change_of(ResourceKind kind, const wire::Inventory& inventory, SetSummary& after) {
    const InventoryRow& held = work_.worker.inventories[kind];
    const SetDigest digest = TRY(SetDigest::from_hex(held.digest));
    const SetSummary before{.count = held.count, .digest = digest};
    Reported added = split_well_formed(inventory.added);
    for (std::string& name : added.malformed) work_.malformed.push_back({kind, std::move(name)});
    if (inventory.base) {
      SetChange change{std::move(added.handles), split_well_formed(inventory.removed).handles};
      after = after_change(before, change);
      const bool meets = held.base == inventory.base && after == SetSummary{inventory.count, inventory.digest};
      return meets ? std::optional<SetChange>(std::move(change)) : std::nullopt;
    }
    after = summary_of(added.handles);
    if (after == before) return std::optional<SetChange>(SetChange{});
    const Rows rows = TRY(work_.transaction.run(sql::inventory_read, {work_.worker.id, number(kind)}));
    std::vector<std::string> handles;
    handles.reserve(rows.size());
    for (const ports::Row& row : rows) handles.push_back(row.text(0));
    std::ranges::sort(handles);
    return std::optional<SetChange>(difference(handles, added.handles));
  }

  Status reconcile(ResourceKind kind) {
    const std::optional<wire::Inventory>& inventory = work_.request.inventories[kind];
    InventoryRow& held = work_.worker.inventories[kind];
    const bool known = held.base.has_value();
    if (!inventory && !(work_.request.same && known)) {
      if (work_.request.same) work_.outcome.answer.resync.push_back(kind);
      return done();
    }
    if (inventory) {
      SetSummary after;
      const std::optional<SetChange> change = TRY(change_of(kind, *inventory, after));
      if (!change) {
        work_.outcome.answer.resync.push_back(kind);
        return done();
      }
      TRY(apply_change(kind, *change));
      // The judgement so far was of another set: the next sync at a higher mark must not pass as nothing new.
      const bool is_same_set = change->appeared.empty() && change->vanished.empty();
      if (!is_same_set) held.judged = std::min<std::int64_t>(held.judged, 0);
      held.base = work_.request.sequence;
      held.count = after.count;
      held.digest = after.digest.hex();
    }
    if (TRY(is_braked(kind))) return done();
    TRY(judge(kind));
    held.judged = std::max(held.judged, work_.as_of);
    return done();
  }

  // An inventory that would do too much is kept as what the worker said, and judges nothing.
  Result<bool> is_braked(ResourceKind kind) {
    InventoryRow& held = work_.worker.inventories[kind];
    const Rows rows = TRY(work_.transaction.run(sql::judge_impact,
                                                {work_.worker.id, number(kind), work_.as_of, held.former, work_.context.policy.brake_min}));
    const std::string reason = brake_reason(kind, {rows[0].integer(0), rows[0].integer(1), rows[0].integer(2)}, work_.context.policy);
    // What a session says before it has heard a mark covers no row: it neither disagrees nor uses up what an operator lifted.
    // A worker that never had a row hears no mark but 0.
    if (reason.empty() && (work_.first_of_session || (work_.as_of == 0 && work_.worker.change > 0))) return !held.brake.empty();
    const bool was_lifted = std::exchange(held.brake_lifted, false);
    const std::string before = std::exchange(held.brake, was_lifted ? "" : reason);
    if (before.empty() != held.brake.empty()) {
      work_.events.push_back(
          {.action = held.brake.empty() ? "brake-released" : "braked",
           .worker = work_.worker.name,
           .kind = kind,
           .reason = held.brake.empty() ? (was_lifted ? "lifted by an operator" : "later inventories disagree") : held.brake});
    }
    return !held.brake.empty();
  }

  Status apply_change(ResourceKind kind, const SetChange& change) {
    TRY(set_present(sql::inventory_appeared, kind, change.appeared));
    if (!change.appeared.empty()) TRY(meet_strangers(kind, wire::to_text(Json(change.appeared))));
    TRY(set_present(sql::inventory_vanished, kind, change.vanished));
    if (!change.vanished.empty()) {
      TRY(work_.transaction.run(sql::inventory_vanished_unknown, {work_.worker.id, number(kind), wire::to_text(Json(change.vanished))}));
    }
    return done();
  }

  // Some at a time: the rows of a million handles take longer than any statement may.
  Status set_present(ports::Statement statement, ResourceKind kind, const std::vector<std::string>& handles) {
    for (std::size_t at = 0; at < handles.size(); at += kHandlesOfStatement) {
      const std::span<const std::string> some = std::span(handles).subspan(at, std::min(kHandlesOfStatement, handles.size() - at));
      const std::vector<std::string> list(some.begin(), some.end());
      TRY(work_.transaction.run(statement, {work_.worker.id, number(kind), wire::to_text(Json(list))}));
    }
    return done();
  }

  // What appears without a row is restored, adopted at first contact, or unknown.
  Status meet_strangers(ResourceKind kind, const std::string& appeared) {
    const std::vector<std::string> restored = TRY(restore_lost(work_.transaction, work_.context, work_.worker, kind, appeared));
    record_rows("restored", kind, restored, "came back and is still wanted");
    work_.ledger.lost -= static_cast<std::int64_t>(restored.size());
    const bool is_first_contact = work_.worker.inventories[kind].judged < 0;
    if (is_first_contact && work_.worker.existing == name_of(Existing::kAdopt)) {
      const std::vector<std::string> adopted = TRY(adopt_appeared(work_.transaction, work_.context, work_.worker, kind, appeared));
      record_rows("adopted", kind, adopted, "found at first contact");
      work_.ledger.adopted += static_cast<std::int64_t>(adopted.size());
      return done();
    }
    const bool is_agreed = is_first_contact && work_.worker.existing == name_of(Existing::kDestroy);
    const bool is_held = is_first_contact && !is_agreed;
    const Rows strangers =
        TRY(work_.transaction.run(sql::inventory_appeared_unknown, {work_.worker.id, number(kind), appeared, work_.high_water(),
                                                                    std::int64_t{is_held}, std::int64_t{is_agreed}}));
    record_some("unknown", kind, strangers, is_held ? "found at first contact, held for the operator" : "on the worker without a record");
    return kind == ResourceKind::kVolume ? keep_supports() : done();
  }

  Status keep_supports() {
    const std::vector<std::string> kept = TRY(restore_supports(work_.transaction, work_.context, work_.worker));
    record_rows("adopted", ResourceKind::kVolume, kept, "a volume that has a record was made from it");
    work_.ledger.adopted += static_cast<std::int64_t>(kept.size());
    return done();
  }

  // One event for each row that was made for a handle.
  void record_rows(const std::string& action, ResourceKind kind, const std::vector<std::string>& handles, const std::string& why) {
    for (const std::string& handle : handles) {
      work_.events.push_back(
          {.action = action, .worker = work_.worker.name, .kind = kind, .handle = handle, .to = "created", .reason = why});
    }
    if (handles.empty()) return;
    work_.changed = true;
    work_.outcome.marks_changed = true;
  }

  // One event for many: how many, and the first few names.
  // What this very sync acknowledges is taken as absent from its inventory, so it is nothing to speak of.
  void record_some(const std::string& action, ResourceKind kind, const Rows& handles, const std::string& why) {
    std::size_t count = 0;
    std::string names;
    for (const ports::Row& row : handles) {
      if (work_.acknowledged.contains({kind, row.text(0)})) continue;
      if (++count <= kNamesInEvent) names += " " + row.text(0);
    }
    if (count == 0) return;
    if (count > kNamesInEvent) names += " ...";
    work_.events.push_back(
        {.action = action, .worker = work_.worker.name, .kind = kind, .reason = std::to_string(count) + " " + why + ":" + names});
    work_.outcome.marks_changed = true;
  }

  // Every rule about absence, at this inventory's as_of: rows that changed after it are left alone.
  Status judge(ResourceKind kind) {
    const Rows missing = TRY(work_.transaction.run(
        sql::judge_missing, {work_.worker.id, number(kind), work_.as_of, work_.context.moment.now.ms, work_.context.moment.wall.ms}));
    record_some("missing", kind, missing, "missing from the inventory");
    const Rows gone = TRY(work_.transaction.run(sql::judge_gone, {work_.worker.id, number(kind), work_.as_of}));
    for (const ports::Row& row : gone) work_.record_gone(kind, row.text(0), false, {row.integer(2)});
    TRY(work_.transaction.run(sql::judge_unknown, {work_.worker.id, number(kind), work_.as_of, work_.context.moment.now.ms}));
    return done();
  }

  // An unknown grace of nothing acts in the sync that shows the stranger; what one slice does not hold is the collector's.
  Status act_on_unknown_at_once() {
    if (work_.context.policy.unknown_grace > Millis(0)) return done();
    const Moment& moment = work_.context.moment;
    const std::int64_t change = next_change(work_.worker);
    const Rows marked = TRY(work_.transaction.run(
        sql::unknown_mark, {moment.now.ms, moment.trusted_from.ms, std::int64_t{0}, work_.worker.id, kSliceMax, change, moment.wall.ms}));
    if (marked.empty()) return done();
    TRY(work_.transaction.run(sql::unknown_marked, {work_.worker.id, change}));
    for (const ports::Row& row : marked) {
      work_.events.push_back({.action = "marked",
                              .worker = work_.worker.name,
                              .kind = static_cast<ResourceKind>(row.integer(0)),
                              .handle = row.text(1),
                              .to = "destroying",
                              .reason = row.text(2)});
    }
    work_.ledger.unknown += static_cast<std::int64_t>(marked.size());
    work_.changed = true;
    work_.outcome.marks_changed = true;
    return done();
  }

  SyncWork& work_;
};

}  // namespace

void SyncWork::record_gone(ResourceKind kind, const std::string& handle, bool was_acknowledged, ServiceTime marked) {
  events.push_back({.action = "gone",
                    .worker = worker.name,
                    .kind = kind,
                    .handle = handle,
                    .from = "destroying",
                    .to = "gone",
                    .reason = was_acknowledged ? "acknowledged" : "absent from the inventory"});
  outcome.gone.push_back({kind, was_acknowledged, std::max(Millis(0), context.moment.now - marked)});
  ledger.destroyed += 1;
  changed = true;
  outcome.marks_changed = true;
}

Status reconcile(SyncWork& work) { return Reconciler(work).run(); }

}  // namespace reclaim::fleet
