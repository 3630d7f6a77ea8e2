#include "fleet/owners.hpp"

#include "fleet/events.hpp"
#include "fleet/owner_row.hpp"
#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::fleet {
namespace {

using ports::Value;

Value ttl_value(const OwnerSpec& spec) { return spec.ttl ? Value(spec.ttl->count()) : Value(); }

std::string labels_text(const OwnerSpec& spec) { return wire::to_text(wire::Json(spec.labels)); }

// The time left of a clock, at least nothing; a clock that began before trusted_from runs at least until that is over.
Millis left_of(const Moment& moment, ServiceTime began, Millis length) { return std::max(Millis(0), (began + length) - moment.now); }

Result<std::map<std::string, std::string>> parse_labels(const std::string& text) {
  const wire::Json json = TRY(wire::parse_json(text));
  std::map<std::string, std::string> labels;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) return corrupt("labels of an owner are not texts");
    labels.emplace(key, value.get<std::string>());
  }
  return labels;
}

Result<Owner> read_owner(ports::Transaction& transaction, const Context& context, const OwnerId& id) {
  return to_owner(TRY(find_owner_row(transaction, context, sql::owner_find, id)), context.moment);
}

}  // namespace

Result<Owner> to_owner(const OwnerRow& row, const Moment& moment) {
  Owner owner;
  owner.spec = {.id = OwnerId(row.name), .kind = row.kind, .ttl = row.ttl, .interruptible = row.interruptible, .labels = {}};
  owner.spec.labels = TRY(parse_labels(row.labels));
  owner.created = row.created;
  owner.live = row.live;
  owner.released = row.released_wall;
  owner.release_reason = row.release_reason;
  owner.resources = row.resources;
  if (row.live && row.released) owner.expires_in = left_of(moment, *row.released, row.keep);
  if (row.live && !row.released && row.ttl) owner.expires_in = left_of(moment, row.renewed, *row.ttl);
  return owner;
}

OwnerRow parse_owner_row(const ports::Row& row) {
  OwnerRow owner;
  owner.id = row.integer(0);
  owner.name = row.text(1);
  owner.kind = row.text(2);
  if (!row.is_null(3)) owner.ttl = Millis(row.integer(3));
  owner.renewed = {row.integer(4)};
  owner.interruptible = row.integer(5) != 0;
  owner.labels = row.text(6);
  owner.created = {row.integer(7)};
  if (!row.is_null(8)) owner.released = ServiceTime{row.integer(8)};
  if (!row.is_null(9)) owner.released_wall = WallTime{row.integer(9)};
  owner.release_reason = row.text_or(10, "");
  owner.keep = Millis(row.integer(11));
  owner.live = row.integer(12) != 0;
  owner.resources = row.integer(13);
  return owner;
}

Result<OwnerRow> find_owner_row(ports::Transaction& transaction, const Context& context, ports::Statement statement, const OwnerId& id) {
  const Moment& moment = context.moment;
  const ports::Rows rows = TRY(transaction.run(statement, {moment.now.ms, moment.trusted_from.ms, id.str()}));
  if (rows.empty()) return not_found("no owner " + id.str());
  return parse_owner_row(rows[0]);
}

Result<Outcome<Owner>> put_owner(const Context& context, const OwnerSpec& spec) {
  if (is_adopter(spec.id)) return invalid("id", "adopted:... are owners that Reclaim makes itself, when something is adopted");
  return ports::transact(context.database, ports::Access::kWrite, [&](ports::Transaction& transaction) -> Result<Outcome<Owner>> {
    const Moment& moment = context.moment;
    const ports::Rows inserted =
        TRY(transaction.run(sql::owner_insert, {spec.id.str(), spec.kind, ttl_value(spec), moment.now.ms, std::int64_t{spec.interruptible},
                                                labels_text(spec), moment.wall.ms}));
    const bool created = !inserted.empty();
    if (!created) {
      const OwnerRow row = TRY(find_owner_row(transaction, context, sql::owner_lock, spec.id));
      if (row.released || !row.live) return conflict("owner " + spec.id.str() + " is released or expired: register another");
      if (row.kind != spec.kind) return conflict("owner " + spec.id.str() + " is of kind " + row.kind);
      TRY(transaction.run(sql::owner_renew, {row.id, ttl_value(spec), moment.now.ms, std::int64_t{spec.interruptible}, labels_text(spec)}));
    }
    Owner owner = TRY(read_owner(transaction, context, spec.id));
    if (created) TRY(append_events(transaction, context, {{.action = "owner-registered", .owner = spec.id.str(), .to = "live"}}));
    return Outcome<Owner>{std::move(owner), created};
  });
}

Result<Owner> release_owner(const Context& context, const OwnerId& id, Millis keep_for) {
  return ports::transact(context.database, ports::Access::kWrite, [&](ports::Transaction& transaction) -> Result<Owner> {
    const Moment& moment = context.moment;
    const OwnerRow row = TRY(find_owner_row(transaction, context, sql::owner_lock, id));
    const bool over = row.released && !row.live;
    const bool lapsed = !row.released && !row.live;
    if (over || (lapsed && keep_for > Millis(0))) return to_owner(row, moment);
    const std::string reason = lapsed ? "lease ran out" : "released";
    TRY(transaction.run(sql::owner_release, {row.id, moment.now.ms, moment.wall.ms, reason, keep_for.count()}));
    Owner owner = TRY(read_owner(transaction, context, id));
    const std::string kept = keep_for > Millis(0) ? "kept for " + std::to_string(keep_for.count() / 1000) + " s" : "at once";
    TRY(append_events(transaction, context,
                      {{.action = "owner-released", .owner = id.str(), .from = "live", .to = "released", .reason = kept}}));
    return owner;
  });
}

Result<Owner> delete_owner(const Context& context, const OwnerId& id) {
  return ports::transact(context.database, ports::Access::kWrite, [&](ports::Transaction& transaction) -> Result<Owner> {
    const OwnerRow row = TRY(find_owner_row(transaction, context, sql::owner_lock, id));
    const ports::Rows removed = TRY(transaction.run(sql::owner_delete, {row.id}));
    if (removed.changed == 0) return conflict("owner " + id.str() + " still has resources: release it instead");
    TRY(append_events(transaction, context, {{.action = "owner-deleted", .owner = id.str()}}));
    return to_owner(row, context.moment);
  });
}

Result<Owner> find_owner(const Context& context, const OwnerId& id) {
  return ports::transact(context.database, ports::Access::kRead,
                         [&](ports::Transaction& transaction) { return read_owner(transaction, context, id); });
}

Result<std::vector<Owner>> list_owners(const Context& context, const std::string& after, std::int64_t limit) {
  const Moment& moment = context.moment;
  const ports::Rows rows = TRY(context.database.run(sql::owner_list, {moment.now.ms, moment.trusted_from.ms, after, limit}));
  std::vector<Owner> owners;
  owners.reserve(rows.size());
  for (const ports::Row& row : rows) owners.push_back(TRY(to_owner(parse_owner_row(row), moment)));
  return owners;
}

}  // namespace reclaim::fleet
