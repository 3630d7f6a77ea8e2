// Containers and volumes: registered before they are created, changed by name, listed and explained.
#include "fleet/resources.hpp"

#include "base/duration.hpp"
#include "fleet/explain.hpp"
#include "fleet/workers.hpp"
#include "http/routes.hpp"

namespace reclaim::http {
namespace {

constexpr std::size_t kItemsMax = 10'000;
constexpr std::size_t kReasonLengthMax = 1024;
constexpr std::int64_t kSecondsMax = kDurationMax.count() / 1000;

using ResourceUseCase = Result<fleet::Resource> (*)(const fleet::Context&, const fleet::ResourceName&);
using Announce = void (*)(server::ControlPlane& plane, const fleet::Resource& resource);

void nothing(server::ControlPlane&, const fleet::Resource&) {}
void may_be_an_orphan(server::ControlPlane& plane, const fleet::Resource&) { plane.resource_registered(); }
void may_be_collected(server::ControlPlane& plane, const fleet::Resource&) { plane.resource_failed(); }
void has_orders(server::ControlPlane& plane, const fleet::Resource& resource) { plane.orders_changed(resource.name.worker.str()); }

Result<fleet::ResourceName> resource_in_path(const Request& request, ResourceKind kind) {
  WorkerName worker = TRY(worker_in_path(request));
  const std::string& handle = request.parameters.at(1);
  if (!is_well_formed_name(handle)) return not_found("no such " + std::string(name_of(kind)));
  return fleet::ResourceName{std::move(worker), kind, Handle(handle)};
}

template <class Parsed>
std::optional<Parsed> read_name(wire::ObjectReader& reader, const char* key, Result<Parsed> (*parse)(std::string_view, std::string)) {
  const std::optional<std::string> text = reader.text(key);
  if (!text) return std::nullopt;
  Result<Parsed> parsed = parse(*text, reader.path_of(key));
  if (parsed.ok()) return std::move(parsed).value();
  reader.fail(parsed.error());
  return std::nullopt;
}

Result<fleet::ResourceSpec> decode_resource(const ApiParts& parts, const WorkerName& worker, ResourceKind kind, const wire::Json& item,
                                            std::string path) {
  wire::ObjectReader reader(item, std::move(path));
  std::optional<Handle> handle = read_name<Handle>(reader, "handle", &parse_handle);
  fleet::ResourceSpec spec{
      .name = {worker, kind, {}}, .owner = read_name<OwnerId>(reader, "owner", &parse_owner_id), .container = {}, .parent = {}};
  if (kind == ResourceKind::kVolume) {
    spec.container = read_name<Handle>(reader, "container", &parse_handle);
    spec.parent = read_name<Handle>(reader, "parent", &parse_handle);
  }
  TRY(reader.finish());
  spec.name.handle = handle ? std::move(*handle) : Handle(make_uuid(parts.random));
  return spec;
}

Result<fleet::Outcome<fleet::Resource>> register_one(const ApiParts& parts, const fleet::Context& context, const WorkerName& worker,
                                                     ResourceKind kind, const wire::Json& item, std::string path) {
  const fleet::ResourceSpec spec = TRY(decode_resource(parts, worker, kind, item, std::move(path)));
  return fleet::register_resource(context, spec);
}

// Each item by itself, in order; what went before a failure stays.
Result<Reply> register_many(const ApiParts& parts, const fleet::Context& context, const WorkerName& worker, ResourceKind kind,
                            const wire::Json& items) {
  TRY(fleet::find_worker(context, worker));
  if (items.size() > kItemsMax) return invalid("body", "holds more than " + std::to_string(kItemsMax) + " items");
  Answered results = Answered::array();
  bool any = items.empty();
  int first_failure = 0;
  for (const wire::Json& item : items) {
    const auto outcome = register_one(parts, context, worker, kind, item, "[" + std::to_string(results.size()) + "]");
    any = any || outcome.ok();
    if (outcome.ok()) {
      results.push_back(encode(outcome.value().value));
    } else {
      if (first_failure == 0) first_failure = wire::status_of(outcome.error());
      results.push_back({{"error", Answered::parse(wire::to_problem(outcome.error()))}});
    }
  }
  if (any) parts.plane.resource_registered();
  return reply_with(results, any ? 201 : first_failure);
}

Result<Reply> register_resources(const ApiParts& parts, const Request& request, ResourceKind kind) {
  const wire::Json body = TRY(body_of(request));
  const WorkerName worker = TRY(worker_in_path(request));
  const fleet::Context context = context_of(parts, request);
  if (body.is_array()) return register_many(parts, context, worker, kind, body);
  const auto outcome = register_one(parts, context, worker, kind, body, "");
  if (!outcome.ok()) {
    TRY(fleet::find_worker(context, worker));
    return outcome.error();
  }
  parts.plane.resource_registered();
  return reply_with(encode(outcome.value().value), outcome.value().created ? 201 : 200);
}

Result<Reply> change_resource(const ApiParts& parts, const Request& request, ResourceKind kind, ResourceUseCase use_case,
                              Announce announce) {
  const Status fields = no_fields(request);
  if (!fields.ok() && fields.error().kind == Error::Kind::kUnparsable) return fields.error();
  const fleet::ResourceName name = TRY(resource_in_path(request, kind));
  const fleet::Context context = context_of(parts, request);
  if (!fields.ok()) {
    TRY(fleet::find_resource(context, name));
    return fields.error();
  }
  const fleet::Resource resource = TRY(use_case(context, name));
  announce(parts.plane, resource);
  return reply_with(encode(resource));
}

Result<Reply> pin(const ApiParts& parts, const Request& request, ResourceKind kind) {
  const wire::Json body = TRY(body_of(request));
  const fleet::ResourceName name = TRY(resource_in_path(request, kind));
  const fleet::Context context = context_of(parts, request);
  wire::ObjectReader reader(body, "");
  const std::string reason = reader.required_text("reason", kReasonLengthMax);
  if (reason.empty()) reader.fail(invalid("reason", "must not be empty"));
  const std::optional<std::int64_t> ttl_s = reader.integer("ttl_s", 1, kSecondsMax);
  const Status fields = reader.finish();
  if (!fields.ok()) {
    TRY(fleet::find_resource(context, name));
    return fields.error();
  }
  const std::optional<Millis> ttl = ttl_s ? std::optional<Millis>(std::chrono::seconds(*ttl_s)) : std::nullopt;
  return reply_with(encode(TRY(fleet::pin_resource(context, name, reason, ttl))));
}

Result<Reply> own(const ApiParts& parts, const Request& request, ResourceKind kind) {
  const wire::Json body = TRY(body_of(request));
  const fleet::ResourceName name = TRY(resource_in_path(request, kind));
  const fleet::Context context = context_of(parts, request);
  wire::ObjectReader reader(body, "");
  const std::optional<OwnerId> owner = read_name<OwnerId>(reader, "owner", &parse_owner_id);
  if (!owner) reader.fail(invalid("owner", "is required"));
  const Status fields = reader.finish();
  if (!fields.ok()) {
    TRY(fleet::find_resource(context, name));
    return fields.error();
  }
  return reply_with(encode(TRY(fleet::own_resource(context, name, *owner))));
}

Result<Reply> get_resource(const ApiParts& parts, const Request& request, ResourceKind kind) {
  const fleet::ResourceName name = TRY(resource_in_path(request, kind));
  TRY(no_query(request));
  return reply_with(encode(TRY(fleet::find_resource(context_of(parts, request), name))));
}

Result<Reply> explain(const ApiParts& parts, const Request& request, ResourceKind kind) {
  const fleet::ResourceName name = TRY(resource_in_path(request, kind));
  TRY(no_query(request));
  return reply_with(encode(TRY(fleet::explain(context_of(parts, request), name))));
}

Result<Reply> list_resources(const ApiParts& parts, const Request& request, ResourceKind kind) {
  QueryReader query(request.call);
  fleet::ResourceFilter filter{
      .kind = kind, .worker = query.text("worker").value_or(""), .state = {}, .owner = query.text("owner").value_or("")};
  const std::optional<std::string> state = query.text("state");
  if (state) {
    filter.state = fleet::resource_state_of(*state);
    if (!filter.state || filter.state == fleet::ResourceState::kGone) {
      query.fail(invalid("state", "must be creating, created, failed or destroying"));
    }
  }
  filter.missing_only = query.boolean("missing").value_or(false);
  filter.after = query.text("after").value_or("");
  const std::int64_t limit = query.limit();
  TRY(query.finish());
  filter.limit = limit + 1;
  return list_reply(
      plural_of(kind).data(), TRY(fleet::list_resources(context_of(parts, request), filter)), limit,
      [](const fleet::Resource& resource) { return encode(resource); },
      [&filter](const fleet::Resource& resource) { return place_of(resource, filter); });
}

void add_kind(Routes& routes, const ApiParts& parts, ResourceKind kind) {
  const std::string of_worker = "/api/v1/workers/{w}/" + std::string(plural_of(kind));
  const std::string one = of_worker + "/{h}";
  const auto add = [&](std::string_view method, const std::string& pattern, server::Need need,
                       Result<Reply> (*handler)(const ApiParts&, const Request&, ResourceKind)) {
    routes.add(method, pattern, need, [&parts, kind, handler](const Request& request) { return handler(parts, request, kind); });
  };
  const auto add_change = [&](std::string_view method, const std::string& verb, ResourceUseCase use_case, Announce announce) {
    routes.add(method, one + verb, server::Need::kClient, [&parts, kind, use_case, announce](const Request& request) {
      return change_resource(parts, request, kind, use_case, announce);
    });
  };
  add("GET", "/api/v1/" + std::string(plural_of(kind)), server::Need::kRead, &list_resources);
  add("GET", one, server::Need::kRead, &get_resource);
  add("GET", one + "/explain", server::Need::kRead, &explain);
  add("POST", of_worker, server::Need::kClient, &register_resources);
  add("PUT", one + "/pin", server::Need::kClient, &pin);
  add("PUT", one + "/owner", server::Need::kClient, &own);
  add_change("DELETE", "/pin", &fleet::unpin_resource, &may_be_an_orphan);
  add_change("POST", "/created", &fleet::resource_created, &may_be_an_orphan);
  add_change("POST", "/failed", &fleet::resource_failed, &may_be_collected);
  add_change("POST", "/destroy", &fleet::destroy_resource, &has_orders);
  add_change("POST", "/touch", &fleet::touch_resource, &nothing);
}

}  // namespace

void add_resource_routes(Routes& routes, const ApiParts& parts) {
  for (const ResourceKind kind : kResourceKinds) add_kind(routes, parts, kind);
}

}  // namespace reclaim::http
