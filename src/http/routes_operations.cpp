// Passes on demand and as plans, freezes, tokens, and what anybody may ask.
#include <set>

#include "fleet/plan.hpp"
#include "fleet/workers.hpp"
#include "http/openapi.hpp"
#include "http/routes.hpp"
#include "server/access.hpp"
#include "wire/sync.hpp"

namespace reclaim::http {
namespace {

constexpr std::size_t kPassesMax = 64;
constexpr std::size_t kNameLengthMax = 128;

Result<Reply> run_passes(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  wire::ObjectReader reader(body, "");
  const std::vector<std::string> passes = reader.texts("passes", kPassesMax, kNameLengthMax);
  TRY(reader.finish());
  Answered list = Answered::array();
  for (const server::PassOutcome& outcome : TRY(parts.plane.run_now(passes))) list.push_back(encode(outcome));
  Answered json;
  json["passes"] = std::move(list);
  return reply_with(json);
}

Answered json_of(const fleet::PlanItem& item) {
  Answered json;
  json["pass"] = item.pass;
  json["worker"] = item.worker.empty() ? Answered() : Answered(item.worker);
  json["kind"] = kind_of(item);
  json["handle"] = item.candidate.handle;
  json["reason"] = item.candidate.reason;
  json["bytes"] = item.candidate.bytes ? Answered(*item.candidate.bytes) : Answered();
  return json;
}

Result<fleet::PlanScope> decode_scope(const wire::Json& body) {
  wire::ObjectReader reader(body, "");
  fleet::PlanScope scope{.passes = reader.texts("passes", kPassesMax, kNameLengthMax), .worker = {}};
  if (const std::optional<std::string> worker = reader.text("worker")) {
    Result<WorkerName> name = parse_worker_name(*worker, "worker");
    if (name.ok()) {
      scope.worker = std::move(name).value();
    } else {
      reader.fail(name.error());
    }
  }
  TRY(reader.finish());
  return scope;
}

Result<Reply> make_plan(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  const fleet::PlanScope scope = TRY(decode_scope(body));
  const fleet::Context context = context_of(parts, request);
  const fleet::Plan plan = TRY(fleet::make_plan(context, parts.random, scope));
  std::int64_t bytes = 0;
  Answered items = Answered::array();
  for (const fleet::PlanItem& item : plan.items) {
    bytes += item.candidate.bytes.value_or(0);
    items.push_back(json_of(item));
  }
  Answered json;
  json["plan_id"] = plan.id;
  json["made"] = to_rfc3339(context.moment.wall);
  json["count"] = plan.items.size();
  json["bytes"] = bytes;
  json["truncated"] = plan.truncated;
  json["items"] = std::move(items);
  return reply_with(json);
}

// Whom what was done concerns: workers with orders, and passes with more to do.
void announce(server::ControlPlane& plane, const std::vector<fleet::AppliedItem>& applied) {
  std::set<std::string> workers;
  for (const fleet::AppliedItem& each : applied) {
    if (each.refused.empty() && each.item.candidate.kind) workers.insert(each.item.worker);
  }
  for (const std::string& worker : workers) plane.orders_changed(worker);
  plane.owner_changed();
  plane.resource_failed();
  plane.worker_changed();
}

Result<Reply> apply_plan(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  wire::ObjectReader reader(body, "");
  const std::string id = reader.required_text("plan_id", kNameLengthMax);
  TRY(reader.finish());
  const std::vector<fleet::AppliedItem> applied = TRY(fleet::apply_plan(context_of(parts, request), id));
  announce(parts.plane, applied);
  std::int64_t refused = 0;
  Answered items = Answered::array();
  for (const fleet::AppliedItem& each : applied) {
    Answered item = json_of(each.item);
    item["done"] = each.refused.empty();
    item["error"] = nullptr;
    if (!each.refused.empty()) {
      ++refused;
      item["error"] = Answered::parse(wire::to_problem(conflict(each.refused)));
    }
    items.push_back(std::move(item));
  }
  Answered json;
  json["plan_id"] = id;
  json["done"] = static_cast<std::int64_t>(applied.size()) - refused;
  json["refused"] = refused;
  json["items"] = std::move(items);
  return reply_with(json);
}

Result<Reply> freeze(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  wire::ObjectReader reader(body, "");
  const std::string reason = reader.required_text("reason");
  TRY(reader.finish());
  TRY(fleet::freeze_fleet(context_of(parts, request), reason));
  Answered json;
  json["frozen"] = reason;
  return reply_with(json);
}

Result<Reply> unfreeze(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  wire::ObjectReader reader(body, "");
  const std::string reason = reader.text("reason").value_or("");
  TRY(reader.finish());
  TRY(fleet::unfreeze_fleet(context_of(parts, request), reason));
  Answered json;
  json["frozen"] = nullptr;
  return reply_with(json);
}

Result<Reply> create_token(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  wire::ObjectReader reader(body, "");
  const std::string role_name = reader.required_text("role");
  const std::string name = reader.text("name", kNameLengthMax).value_or(role_name);
  const std::optional<server::Role> role = server::role_of(role_name);
  if (!role) reader.fail(invalid("role", "must be admin, client, gateway or viewer"));
  TRY(reader.finish());
  const server::NewToken made = TRY(server::create_token(parts.plane.database(), parts.random, parts.clock.wall(), *role, name));
  Answered json = encode(made.token);
  json["token"] = made.secret;
  Reply reply = reply_with(json, 201);
  reply.headers.emplace_back("Cache-Control", "no-store");
  return reply;
}

Result<Reply> list_tokens(const ApiParts& parts, const Request& request) {
  QueryReader query(request.call);
  const std::string after = query.text("after").value_or("");
  const std::int64_t limit = query.limit();
  TRY(query.finish());
  return list_reply(
      "tokens", TRY(server::list_tokens(parts.plane.database(), after, limit + 1)), limit,
      [](const server::Token& token) { return encode(token); }, [](const server::Token& token) { return token.id; });
}

Result<Reply> get_token(const ApiParts& parts, const Request& request) {
  TRY(no_query(request));
  return reply_with(encode(TRY(server::find_token(parts.plane.database(), request.parameters[0]))));
}

Result<Reply> delete_token(const ApiParts& parts, const Request& request) {
  TRY(no_fields(request));
  return reply_with(encode(TRY(server::delete_token(parts.plane.database(), request.parameters[0]))));
}

}  // namespace

void add_operation_routes(Routes& routes, const ApiParts& parts) {
  routes.add("POST", "/api/v1/gc/run", server::Need::kAdmin, [&parts](const Request& request) { return run_passes(parts, request); });
  routes.add("POST", "/api/v1/gc/plan", server::Need::kAdmin, [&parts](const Request& request) { return make_plan(parts, request); });
  routes.add("POST", "/api/v1/gc/apply", server::Need::kAdmin, [&parts](const Request& request) { return apply_plan(parts, request); });
  routes.add("POST", "/api/v1/freeze", server::Need::kAdmin, [&parts](const Request& request) { return freeze(parts, request); });
  routes.add("POST", "/api/v1/unfreeze", server::Need::kAdmin, [&parts](const Request& request) { return unfreeze(parts, request); });
  routes.add("GET", "/metrics", server::Need::kRead, [&parts](const Request&) -> Result<Reply> {
    parts.refresh_metrics();
    return Reply{.body = parts.metrics.text(), .content_type = kMetricsContentType};
  });
}

void add_token_routes(Routes& routes, const ApiParts& parts) {
  const std::string all = "/api/v1/tokens";
  const std::string one = all + "/{id}";
  routes.add("GET", all, server::Need::kAdmin, [&parts](const Request& request) { return list_tokens(parts, request); });
  routes.add("POST", all, server::Need::kAdmin, [&parts](const Request& request) { return create_token(parts, request); });
  routes.add("GET", one, server::Need::kAdmin, [&parts](const Request& request) { return get_token(parts, request); });
  routes.add("DELETE", one, server::Need::kAdmin, [&parts](const Request& request) { return delete_token(parts, request); });
}

void add_open_routes(Routes& routes, const ApiParts& parts) {
  const Reply fine{.body = R"({"status":"ok"})"};
  routes.add("GET", "/healthz", kAnybody, [fine](const Request&) -> Result<Reply> { return fine; });
  routes.add("GET", "/readyz", kAnybody, [fine, &parts](const Request&) -> Result<Reply> {
    TRY(parts.readiness());
    return fine;
  });
  routes.add("GET", "/api/v1/openapi.yaml", kAnybody, [](const Request&) -> Result<Reply> {
    return Reply{.body = std::string(openapi_yaml()), .content_type = "application/yaml"};
  });
}

}  // namespace reclaim::http
