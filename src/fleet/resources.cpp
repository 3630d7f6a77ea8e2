#include "fleet/resources.hpp"

#include <algorithm>
#include <charconv>
#include <functional>

#include "fleet/events.hpp"
#include "fleet/owner_row.hpp"
#include "fleet/worker_row.hpp"
#include "ports/statements.hpp"

namespace reclaim::fleet {
namespace {

using ports::Transaction;
using ports::Value;

std::string noun(const ResourceName& name) {
  return std::string(name_of(name.kind)) + " " + name.handle.str() + " of " + name.worker.str();
}

ResourceState state_of(const std::string& text) {
  const std::optional<ResourceState> state = resource_state_of(text);
  check(state.has_value(), "a resource's state is one of the table's");
  return *state;
}

Resource parse_resource(const ports::Row& row, const Moment& moment) {
  Resource resource{.id = row.integer(0),
                    .name = {WorkerName(row.text(1)), static_cast<ResourceKind>(row.integer(2)), Handle(row.text(3))},
                    .state = state_of(row.text(4)),
                    .since = {row.integer(5)}};
  resource.owner = row.text_or(6, "");
  resource.container = row.text_or(7, "");
  resource.parent = row.text_or(8, "");
  if (!row.is_null(9)) resource.missing_since = WallTime{row.integer(9)};
  resource.pinned = row.integer(10) != 0;
  resource.pin_reason = row.text_or(11, "");
  resource.attempts = row.integer(12);
  resource.last_error = row.text_or(13, "");
  if (!row.is_null(14)) resource.bytes = row.integer(14);
  resource.in_hand = row.integer(15) != 0;
  if (!row.is_null(18)) resource.in_hand_for = std::max(Millis(0), moment.now - ServiceTime{row.integer(18)});
  resource.stuck = row.integer(16) != 0;
  resource.reason = row.text_or(17, "");
  return resource;
}

template <class Runner>
Result<Resource> read_resource(Runner& runner, const Context& context, const ResourceName& name) {
  const ports::Rows rows = TRY(runner.run(sql::resource_find, {context.moment.now.ms, context.moment.trusted_from.ms, name.worker.str(),
                                                               static_cast<std::int64_t>(name.kind), name.handle.str()}));
  if (rows.empty()) return not_found("no " + noun(name));
  return parse_resource(rows[0], context.moment);
}

Event event_of(const std::string& action, const Resource& before, ResourceState after, std::string reason = "") {
  return {.action = action,
          .worker = before.name.worker.str(),
          .kind = before.name.kind,
          .handle = before.name.handle.str(),
          .owner = before.owner,
          .from = std::string(name_of(before.state)),
          .to = std::string(name_of(after)),
          .reason = std::move(reason)};
}

// The change of one resource: the worker's lock, the row as it is, what `step` writes with the next change number, one event.
using Step = std::function<Result<std::optional<Event>>(Transaction&, const Resource&, std::int64_t change)>;

Result<Resource> change_resource(const Context& context, const ResourceName& name, const Step& step) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Resource> {
    const WorkerRow worker = TRY(lock_worker(transaction, name.worker));
    Resource before = TRY(read_resource(transaction, context, name));
    const std::optional<Event> event = TRY(step(transaction, before, next_change(worker)));
    if (!event) return before;
    TRY(draw_change(transaction, worker));
    Resource after = TRY(read_resource(transaction, context, name));
    TRY(append_events(transaction, context, {*event}));
    return after;
  });
}

Error no_transition(const Resource& resource, std::string_view wanted) {
  return conflict(noun(resource.name) + " is " + std::string(name_of(resource.state)) + " and cannot become " + std::string(wanted));
}

// The live owner that something joins, held until the end of the transaction.
Result<std::int64_t> hold_live_owner(Transaction& transaction, const Context& context, const OwnerId& id) {
  Result<OwnerRow> owner = find_owner_row(transaction, context, sql::owner_hold, id);
  if (!owner.ok() && owner.error().kind == Error::Kind::kNotFound) return invalid("owner", "no owner " + id.str() + ": register it first");
  const OwnerRow row = TRY(std::move(owner));
  if (row.released || !row.live) return conflict("owner " + id.str() + " is released or expired");
  return row.id;
}

// The container or parent volume that something hangs on; it has changed by that.
Result<std::int64_t> hold_support(Transaction& transaction, const WorkerRow& worker, ResourceKind kind, const Handle& handle,
                                  const std::string& field) {
  const ports::Rows rows = TRY(transaction.run(sql::resource_ref, {worker.id, static_cast<std::int64_t>(kind), handle.str()}));
  if (rows.empty()) return invalid(field, "no " + std::string(name_of(kind)) + " " + handle.str() + " on this worker");
  const ResourceState state = state_of(rows[0].text(1));
  if (state == ResourceState::kDestroying || state == ResourceState::kFailed) {
    return conflict(std::string(name_of(kind)) + " " + handle.str() + " is " + std::string(name_of(state)));
  }
  TRY(transaction.run(sql::resource_bump, {rows[0].integer(0), next_change(worker)}));
  return rows[0].integer(0);
}

bool is_same(const Resource& resource, const ResourceSpec& spec) {
  return resource.state == ResourceState::kCreating && resource.owner == (spec.owner ? spec.owner->str() : "") &&
         resource.container == (spec.container ? spec.container->str() : "") && resource.parent == (spec.parent ? spec.parent->str() : "");
}

Value text_of(const std::optional<Handle>& handle) { return handle ? Value(handle->str()) : Value(); }

Result<Outcome<Resource>> insert_resource(Transaction& transaction, const Context& context, const WorkerRow& worker,
                                          const ResourceSpec& spec) {
  Value owner;
  Value container;
  Value parent;
  if (spec.owner) owner = TRY(hold_live_owner(transaction, context, *spec.owner));
  if (spec.container) container = TRY(hold_support(transaction, worker, ResourceKind::kContainer, *spec.container, "container"));
  if (spec.parent) parent = TRY(hold_support(transaction, worker, ResourceKind::kVolume, *spec.parent, "parent"));
  const auto kind = static_cast<std::int64_t>(spec.name.kind);
  TRY(transaction.run(sql::resource_let_go, {worker.id, kind, spec.name.handle.str()}));
  TRY(transaction.run(sql::resource_insert, {worker.id, kind, spec.name.handle.str(), owner, container, parent, context.moment.wall.ms,
                                             context.moment.now.ms, next_change(worker), text_of(spec.container), text_of(spec.parent)}));
  TRY(transaction.run(sql::unknown_forget, {worker.id, kind, spec.name.handle.str()}));
  TRY(transaction.run(sql::lost_forget, {worker.id, kind, spec.name.handle.str()}));
  TRY(transaction.run(sql::worker_add_registered, {worker.id}));
  Resource resource = TRY(read_resource(transaction, context, spec.name));
  Event event = event_of("registered", resource, ResourceState::kCreating);
  event.from = "";
  TRY(append_events(transaction, context, {event}));
  return Outcome<Resource>{std::move(resource), true};
}

// A row that is on its way out is not kept any more by anything but a pin set before: nobody may believe that it stays.
Status refuse_destroying(const Resource& resource) {
  if (resource.state == ResourceState::kDestroying) return conflict(noun(resource.name) + " is destroying");
  return done();
}

// What its creator says came of it.
Result<Resource> report_creation(const Context& context, const ResourceName& name, ResourceEvent event, ResourceState wanted) {
  const auto step = [&](Transaction& transaction, const Resource& before, std::int64_t change) -> Result<std::optional<Event>> {
    if (before.state == wanted) return std::optional<Event>{};
    const std::string to(name_of(wanted));
    if (next(before.state, event) != wanted) return no_transition(before, to);
    TRY(transaction.run(sql::resource_set_state,
                        {before.id, to, context.moment.wall.ms, context.moment.now.ms, change, std::string(name_of(before.state))}));
    return std::optional<Event>(event_of(to, before, wanted));
  };
  return change_resource(context, name, step);
}

bool is_by_handle(const ResourceFilter& filter) { return filter.owner.empty() && !filter.worker.empty(); }

Result<std::int64_t> row_id_of(const std::string& after) {
  std::int64_t id = 0;
  const auto [end, failed] = std::from_chars(after.data(), after.data() + after.size(), id);
  const bool is_number = failed == std::errc() && end == after.data() + after.size() && id >= 0;
  if (after.empty() || is_number) return id;
  return invalid("after", "must be the `next` of the page before");
}

}  // namespace

Result<Outcome<Resource>> register_resource(const Context& context, const ResourceSpec& spec) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Outcome<Resource>> {
    const WorkerRow worker = TRY(lock_worker(transaction, spec.name.worker));
    Result<Resource> existing = read_resource(transaction, context, spec.name);
    if (!existing.ok()) {
      if (existing.error().kind != Error::Kind::kNotFound) return existing.error();
      return insert_resource(transaction, context, worker, spec);
    }
    if (is_same(existing.value(), spec)) return Outcome<Resource>{std::move(existing).value(), false};
    return conflict("handle in use: " + noun(spec.name) + " is " + std::string(name_of(existing.value().state)));
  });
}

Result<Resource> resource_created(const Context& context, const ResourceName& name) {
  return report_creation(context, name, ResourceEvent::kCreated, ResourceState::kCreated);
}

Result<Resource> resource_failed(const Context& context, const ResourceName& name) {
  return report_creation(context, name, ResourceEvent::kFailed, ResourceState::kFailed);
}

Result<Resource> destroy_resource(const Context& context, const ResourceName& name) {
  return change_resource(context, name,
                         [&](Transaction& transaction, const Resource& before, std::int64_t change) -> Result<std::optional<Event>> {
                           if (before.state == ResourceState::kDestroying) return std::optional<Event>{};
                           const std::optional<ResourceState> after = next(before.state, ResourceEvent::kDestroy);
                           if (!after) return no_transition(before, "destroying");
                           if (before.pinned) return conflict(noun(name) + " is pinned (" + before.pin_reason + "): unpin it first");
                           const std::string reason = "asked by " + context.actor;
                           TRY(transaction.run(sql::resource_mark, {before.id, context.moment.wall.ms, context.moment.now.ms, change,
                                                                    reason, std::string(name_of(before.state))}));
                           return std::optional<Event>(event_of("marked", before, *after, reason));
                         });
}

Result<Resource> own_resource(const Context& context, const ResourceName& name, const OwnerId& owner) {
  return change_resource(
      context, name, [&](Transaction& transaction, const Resource& before, std::int64_t change) -> Result<std::optional<Event>> {
        TRY(refuse_destroying(before));
        const std::int64_t owner_id = TRY(hold_live_owner(transaction, context, owner));
        TRY(transaction.run(sql::resource_own, {before.id, owner_id, change}));
        Event event = event_of("owned", before, before.state, before.owner.empty() ? "had no owner" : "was owned by " + before.owner);
        event.owner = owner.str();
        return std::optional<Event>(event);
      });
}

Result<Resource> touch_resource(const Context& context, const ResourceName& name) {
  return change_resource(context, name,
                         [&](Transaction& transaction, const Resource& before, std::int64_t change) -> Result<std::optional<Event>> {
                           TRY(refuse_destroying(before));
                           TRY(transaction.run(sql::resource_touch, {before.id, context.moment.now.ms, change}));
                           return std::optional<Event>(event_of("touched", before, before.state));
                         });
}

Result<Resource> pin_resource(const Context& context, const ResourceName& name, const std::string& reason, std::optional<Millis> ttl) {
  return change_resource(
      context, name, [&](Transaction& transaction, const Resource& before, std::int64_t change) -> Result<std::optional<Event>> {
        TRY(refuse_destroying(before));
        TRY(transaction.run(sql::resource_pin, {before.id, context.moment.now.ms, ttl ? Value(ttl->count()) : Value(), reason, change}));
        return std::optional<Event>(event_of("pinned", before, before.state, reason));
      });
}

Result<Resource> unpin_resource(const Context& context, const ResourceName& name) {
  return change_resource(context, name,
                         [&](Transaction& transaction, const Resource& before, std::int64_t change) -> Result<std::optional<Event>> {
                           if (before.pin_reason.empty()) return std::optional<Event>{};
                           TRY(transaction.run(sql::resource_unpin, {before.id, change}));
                           return std::optional<Event>(event_of("unpinned", before, before.state, before.pin_reason));
                         });
}

Result<Resource> find_resource(const Context& context, const ResourceName& name) { return read_resource(context.database, context, name); }

Result<std::vector<Resource>> list_resources(const Context& context, const ResourceFilter& filter) {
  const Value state = filter.state ? Value(std::string(name_of(*filter.state))) : Value();
  ports::Values values{context.moment.now.ms, context.moment.trusted_from.ms, static_cast<std::int64_t>(filter.kind)};
  values.push_back(is_by_handle(filter) ? Value(filter.after) : Value(TRY(row_id_of(filter.after))));
  values.insert(values.end(), {state, std::int64_t{filter.missing_only}, filter.limit});
  if (!filter.owner.empty()) values.insert(values.end(), {filter.owner, filter.worker.empty() ? Value() : Value(filter.worker)});
  if (is_by_handle(filter)) values.emplace_back(filter.worker);
  const ports::Statement statement = !filter.owner.empty()  ? sql::resource_list_of_owner
                                     : is_by_handle(filter) ? sql::resource_list_of_worker
                                                            : sql::resource_list;
  std::vector<Resource> resources;
  for (const ports::Row& row : TRY(context.database.run(statement, values))) resources.push_back(parse_resource(row, context.moment));
  return resources;
}

std::string place_of(const Resource& resource, const ResourceFilter& filter) {
  return is_by_handle(filter) ? resource.name.handle.str() : std::to_string(resource.id);
}

}  // namespace reclaim::fleet
