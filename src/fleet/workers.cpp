#include "fleet/workers.hpp"

#include <algorithm>
#include <map>

#include "fleet/departure.hpp"
#include "fleet/events.hpp"
#include "fleet/worker_row.hpp"
#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::fleet {
namespace {

using ports::Transaction;
using ports::Value;
using wire::Json;

inline constexpr std::size_t kKeysMax = 16;

std::string tags_text(const std::vector<std::string>& tags) { return wire::to_text(Json(tags)); }

Result<std::vector<std::string>> parse_texts(const std::string& text) {
  const Json json = TRY(wire::parse_json(text));
  std::vector<std::string> texts;
  for (const Json& item : json) texts.push_back(item.get<std::string>());
  return texts;
}

Result<std::vector<Worker::Unlisted>> parse_unlisted(const std::string& text) {
  const Json json = TRY(wire::parse_json(text));
  std::vector<Worker::Unlisted> unlisted;
  for (const Json& item : json) unlisted.push_back({item["kind"].get<std::string>(), item["error"].get<std::string>()});
  return unlisted;
}

void add_hold(Worker& worker, Hold::What what, const std::string& reason) {
  if (!reason.empty()) worker.holds.push_back({what, reason});
}

void add_guards(Worker& worker, const WorkerRow& row) {
  for (const ResourceKind kind : kResourceKinds) {
    const std::string& brake = row.inventories[kind].brake;
    if (!brake.empty()) worker.braked += (worker.braked.empty() ? "" : "; ") + brake;
  }
  add_hold(worker, Hold::What::kBrake, worker.braked);
  add_hold(worker, Hold::What::kLineage, row.regressed);
  if (!row.held_incarnation.empty()) {
    const bool is_accepted = row.held_incarnation == row.accepted_incarnation;
    add_hold(worker, Hold::What::kIncarnation,
             "incarnation " + row.held_incarnation +
                 (is_accepted ? " is accepted and has not come by yet" : " asks to take this worker's place"));
  }
}

Result<Worker> to_worker(const WorkerRow& row, const Context& context) {
  Worker worker{
      .name = WorkerName(row.name), .state = row.state, .since = row.since, .incarnation = row.incarnation, .ephemeral = row.ephemeral};
  if (is_stalled(row, context)) worker.state = WorkerState::kStalled;
  worker.tags = TRY(parse_texts(row.tags));
  worker.existing = existing_of(row.existing).value_or(Existing::kHold);
  worker.malformed = static_cast<std::int64_t>(TRY(wire::parse_json(row.malformed)).size());
  worker.frozen = row.frozen;
  worker.unlisted = TRY(parse_unlisted(row.unlisted));
  add_guards(worker, row);
  worker.disk = row.disk;
  if (row.synced) worker.last_sync_age = std::max(Millis(0), context.moment.now - *row.synced);
  return worker;
}

void add_counts(Worker& worker, const ports::Row& counts, const Context& context) {
  worker.containers = counts.integer(1);
  worker.volumes = counts.integer(2);
  worker.destroying = counts.integer(3);
  if (!counts.is_null(4)) worker.oldest_destroying = std::max(Millis(0), context.moment.now - ServiceTime{counts.integer(4)});
  worker.missing = counts.integer(5);
}

// Three statements, however many workers.
Result<std::vector<Worker>> describe(Transaction& transaction, const Context& context, const ports::Rows& rows) {
  std::vector<Worker> workers;
  std::map<std::int64_t, std::size_t> places;
  Json ids = Json::array();
  for (const ports::Row& row : rows) {
    const WorkerRow worker = parse_worker_row(row);
    places.emplace(worker.id, workers.size());
    ids.push_back(std::to_string(worker.id));
    workers.push_back(TRY(to_worker(worker, context)));
  }
  const ports::Values values{wire::to_text(ids)};
  const auto worker_of = [&](const ports::Row& row) -> Worker& { return workers[places.at(row.integer(0))]; };
  const ports::Rows keys = TRY(transaction.run(sql::worker_keys, values));
  for (const ports::Row& key : keys) worker_of(key).keys.push_back(key.text(1));
  const ports::Rows counts = TRY(transaction.run(sql::worker_counts, values));
  for (const ports::Row& count : counts) add_counts(worker_of(count), count, context);
  const ports::Rows unknown = TRY(transaction.run(sql::worker_unknown_counts, values));
  for (const ports::Row& count : unknown) {
    worker_of(count).unknown = count.integer(1);
    worker_of(count).held = count.integer(2);
    if (count.integer(2) > 0) {
      add_hold(worker_of(count), Hold::What::kExisting, std::to_string(count.integer(2)) + " found on the machine when it first came by");
    }
  }
  return workers;
}

Result<Worker> read_worker(Transaction& transaction, const Context& context, const WorkerName& name) {
  const ports::Rows rows = TRY(transaction.run(sql::worker_find, {name.str()}));
  if (rows.empty()) return not_found("no worker " + name.str());
  std::vector<Worker> workers = TRY(describe(transaction, context, rows));
  return std::move(workers.front());
}

// A key that is taken away advances the high-water mark: a quiet sync that waited for us meanwhile then goes the long way, which looks
// at the key anew.
Status replace_keys(Transaction& transaction, const WorkerRow& worker, const std::vector<std::string>& keys) {
  if (keys.size() > kKeysMax) return invalid("keys", "at most " + std::to_string(kKeysMax) + " keys");
  const ports::Rows dropped = TRY(transaction.run(sql::worker_keys_drop_others, {worker.id, wire::to_text(wire::Json(keys))}));
  if (dropped.changed > 0) TRY(draw_change(transaction, worker));
  for (const std::string& key : keys) {
    const ports::Rows added = TRY(transaction.run(sql::worker_key_add, {key, worker.id}));
    if (added.changed == 1) continue;
    const ports::Rows holder = TRY(transaction.run(sql::worker_key_owner, {key}));
    const std::string other = holder.empty() ? "another worker" : "worker " + holder[0].text(0);
    if (!holder.empty() && holder[0].text(0) == worker.name) continue;  // it stays, or is named twice
    return conflict("a key in keys belongs to " + other + ": one key, one worker");
  }
  return done();
}

Status set_state(Transaction& transaction, const Context& context, const WorkerRow& worker, WorkerState state,
                 std::optional<WorkerState> intent, const std::string& landed_session) {
  const Value stalled_at = state == WorkerState::kStalled ? Value(context.moment.now.ms) : Value();
  TRY(transaction.run(sql::worker_set_state,
                      {worker.id, std::string(name_of(state)), intent ? Value(std::string(name_of(*intent))) : Value(),
                       context.moment.wall.ms, stalled_at, landed_session.empty() ? Value() : Value(landed_session)}));
  return done();
}

// land and retire: from where the table allows, already there is fine, anything else a conflict.
Result<Worker> ask(const Context& context, const WorkerName& name, WorkerEvent event, WorkerState wanted) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Worker> {
    const WorkerRow worker = TRY(lock_worker(transaction, name));
    if (worker.state != wanted) {
      const std::optional<WorkerState> after = next(worker.state, event);
      const bool already = wanted == WorkerState::kLanding && worker.state == WorkerState::kLanded;
      if (!after && !already) {
        return conflict("worker " + name.str() + " is " + std::string(name_of(worker.state)) + " and cannot become " +
                        std::string(name_of(wanted)));
      }
      if (after) TRY(set_state(transaction, context, worker, *after, std::nullopt, worker.session));
    }
    Worker changed = TRY(read_worker(transaction, context, name));
    TRY(append_events(transaction, context,
                      {{.action = "worker-" + std::string(name_of(wanted)),
                        .worker = name.str(),
                        .from = std::string(name_of(worker.state)),
                        .to = std::string(name_of(changed.state))}}));
    return changed;
  });
}

Result<Worker> set_frozen(const Context& context, const WorkerName& name, bool frozen, const std::string& reason) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Worker> {
    const WorkerRow worker = TRY(lock_worker(transaction, name));
    TRY(transaction.run(sql::worker_freeze, {worker.id, frozen ? Value(reason) : Value()}));
    Worker changed = TRY(read_worker(transaction, context, name));
    const std::string action = frozen ? "worker-frozen" : "worker-unfrozen";
    TRY(append_events(transaction, context, {{.action = action, .worker = name.str(), .reason = reason}}));
    return changed;
  });
}

}  // namespace

std::string_view name_of(Hold::What what) {
  switch (what) {
    case Hold::What::kBrake: return "brake";
    case Hold::What::kExisting: return "existing";
    case Hold::What::kIncarnation: return "incarnation";
    case Hold::What::kLineage: return "lineage";
  }
  check(false, "unknown hold");
  return "";
}

std::optional<Existing> existing_of(std::string_view name) {
  for (const Existing existing : {Existing::kHold, Existing::kAdopt, Existing::kDestroy}) {
    if (name_of(existing) == name) return existing;
  }
  return std::nullopt;
}

std::string_view name_of(Existing existing) {
  switch (existing) {
    case Existing::kHold: return "hold";
    case Existing::kAdopt: return "adopt";
    case Existing::kDestroy: return "destroy";
  }
  check(false, "unknown answer to what exists");
  return "";
}

Result<std::string> canonical_key(std::string_view line, std::string field) {
  const auto is_base64 = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=';
  };
  const auto is_type = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  const std::size_t space = line.find(' ');
  const std::string_view type = line.substr(0, space);
  std::string_view rest = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  const std::string_view body = rest.substr(0, rest.find_first_of(" \r\n"));
  const bool known = type.starts_with("ssh-") || type.starts_with("ecdsa-");
  // Whoever gives two keys in one text would not learn that the second opens nothing.
  const std::size_t line_end = std::min(line.find_first_of("\r\n"), line.size());
  if (line.find_first_not_of("\r\n", line_end) != std::string_view::npos)
    return invalid(std::move(field), "must be one public key, on one line");
  if (!known || !std::ranges::all_of(type, is_type) || body.size() < 32 || body.size() > 4096 || !std::ranges::all_of(body, is_base64)) {
    return invalid(std::move(field), "must be a public key in OpenSSH form: `ssh-ed25519 AAAA... comment`");
  }
  return std::string(type) + " " + std::string(body);
}

Result<Outcome<Worker>> put_worker(const Context& context, const WorkerSpec& spec) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Outcome<Worker>> {
    const std::string name = spec.name.str();
    const Existing existing = spec.existing.value_or(Existing::kHold);
    const ports::Rows inserted = TRY(
        transaction.run(sql::worker_insert, {name, context.moment.wall.ms, std::int64_t{spec.ephemeral.value_or(false)},
                                             tags_text(spec.tags.value_or(std::vector<std::string>{})), std::string(name_of(existing))}));
    const bool created = !inserted.empty();
    const WorkerRow row = TRY(lock_worker(transaction, spec.name));
    if (!created) {
      const bool ephemeral = spec.ephemeral.value_or(row.ephemeral);
      const std::string tags = spec.tags ? tags_text(*spec.tags) : row.tags;
      const std::string held = spec.existing ? std::string(name_of(*spec.existing)) : row.existing;
      TRY(transaction.run(sql::worker_update, {row.id, std::int64_t{ephemeral}, tags, held}));
    }
    if (spec.keys) TRY(replace_keys(transaction, row, *spec.keys));
    Worker worker = TRY(read_worker(transaction, context, spec.name));
    TRY(append_events(transaction, context, {{.action = created ? "worker-enrolled" : "worker-changed", .worker = name}}));
    return Outcome<Worker>{std::move(worker), created};
  });
}

Result<Worker> find_worker(const Context& context, const WorkerName& name) {
  return ports::transact(context.database, ports::Access::kRead,
                         [&](Transaction& transaction) { return read_worker(transaction, context, name); });
}

Result<std::vector<Worker>> list_workers(const Context& context, const std::string& after, std::int64_t limit) {
  return ports::transact(context.database, ports::Access::kRead, [&](Transaction& transaction) -> Result<std::vector<Worker>> {
    return describe(transaction, context, TRY(transaction.run(sql::worker_list, {after, limit})));
  });
}

Result<WorkerName> worker_of_key(ports::Database& database, const std::string& key) {
  const ports::Rows rows = TRY(database.run(sql::worker_of_key, {key}));
  if (rows.empty()) return unauthenticated("this key is not enrolled: `reclaim workers enroll NAME --key FILE.pub`");
  return WorkerName(rows[0].text(0));
}

Result<Worker> land_worker(const Context& context, const WorkerName& name) {
  return ask(context, name, WorkerEvent::kLand, WorkerState::kLanding);
}

Result<Worker> retire_worker(const Context& context, const WorkerName& name) {
  return ask(context, name, WorkerEvent::kRetire, WorkerState::kRetiring);
}

Result<Worker> prune_worker(const Context& context, const WorkerName& name) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Worker> {
    const WorkerRow row = TRY(lock_worker(transaction, name));
    Worker worker = TRY(read_worker(transaction, context, name));
    if (!next(worker.state, WorkerEvent::kPrune)) {
      return conflict("worker " + name.str() + " is running: land, retire or stop it first");
    }
    const Event event = TRY(depart(transaction, row, "pruned by " + context.actor));
    TRY(append_events(transaction, context, {event}));
    return worker;
  });
}

Result<Worker> heartbeat(const Context& context, const WorkerName& name) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Worker> {
    const WorkerRow worker = TRY(lock_worker(transaction, name));
    TRY(transaction.run(sql::worker_heartbeat, {worker.id, context.moment.now.ms, context.moment.wall.ms}));
    return read_worker(transaction, context, name);
  });
}

Result<Worker> freeze_worker(const Context& context, const WorkerName& name, const std::string& reason) {
  if (reason.empty()) return invalid("reason", "say why, for whoever finds the worker frozen");
  return set_frozen(context, name, true, reason);
}

Result<Worker> unfreeze_worker(const Context& context, const WorkerName& name, const std::string& reason) {
  return set_frozen(context, name, false, reason);
}

Status freeze_fleet(const Context& context, const std::string& reason) {
  if (reason.empty()) return invalid("reason", "say why, for whoever finds the fleet frozen");
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Status {
    TRY(transaction.run(sql::meta_put, {std::string("frozen"), reason}));
    return append_events(transaction, context, {{.action = "fleet-frozen", .reason = reason}});
  });
}

Status unfreeze_fleet(const Context& context, const std::string& reason) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Status {
    TRY(transaction.run(sql::meta_delete, {std::string("frozen")}));
    return append_events(transaction, context, {{.action = "fleet-unfrozen", .reason = reason}});
  });
}

}  // namespace reclaim::fleet
