// Workers: enrolment, what they look like, and their way out.
#include "fleet/workers.hpp"

#include "http/routes.hpp"

namespace reclaim::http {
namespace {

constexpr std::size_t kKeysMax = 16;
constexpr std::size_t kTagsMax = 64;
constexpr std::size_t kTagLengthMax = 128;

using WorkerUseCase = Result<fleet::Worker> (*)(const fleet::Context&, const WorkerName&);

Result<fleet::WorkerSpec> decode_worker(WorkerName name, const wire::Json& body) {
  wire::ObjectReader reader(body, "");
  fleet::WorkerSpec spec{.name = std::move(name), .keys = {}, .ephemeral = {}, .tags = {}, .existing = {}};
  if (reader.array("keys", kKeysMax) != nullptr) spec.keys = reader.texts("keys", kKeysMax);
  if (reader.array("tags", kTagsMax) != nullptr) spec.tags = reader.texts("tags", kTagsMax, kTagLengthMax);
  spec.ephemeral = reader.boolean("ephemeral");
  const std::optional<std::string> existing = reader.text("existing");
  if (existing) {
    spec.existing = fleet::existing_of(*existing);
    if (!spec.existing) reader.fail(invalid("existing", "must be hold, adopt or destroy"));
  }
  TRY(reader.finish());
  if (!spec.keys) return spec;
  for (std::size_t i = 0; i < spec.keys->size(); ++i) {
    (*spec.keys)[i] = TRY(fleet::canonical_key((*spec.keys)[i], "keys[" + std::to_string(i) + "]"));
  }
  return spec;
}

Result<Reply> put_worker(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  WorkerName name = TRY(parse_worker_name(request.parameters[0]));
  const fleet::WorkerSpec spec = TRY(decode_worker(std::move(name), body));
  const fleet::Outcome<fleet::Worker> outcome = TRY(fleet::put_worker(context_of(parts, request), spec));
  return reply_with(encode(outcome.value), outcome.created ? 201 : 200);
}

Result<Reply> list_workers(const ApiParts& parts, const Request& request) {
  QueryReader query(request.call);
  const std::string after = query.text("after").value_or("");
  const std::int64_t limit = query.limit();
  TRY(query.finish());
  return list_reply(
      "workers", TRY(fleet::list_workers(context_of(parts, request), after, limit + 1)), limit,
      [](const fleet::Worker& worker) { return encode(worker); }, [](const fleet::Worker& worker) { return worker.name.str(); });
}

Result<Reply> get_worker(const ApiParts& parts, const Request& request) {
  const WorkerName name = TRY(worker_in_path(request));
  TRY(no_query(request));
  return reply_with(encode(TRY(fleet::find_worker(context_of(parts, request), name))));
}

// What a call without fields does to the worker of the path. 404 comes before 422 of the body.
Result<Reply> change_worker(const ApiParts& parts, const Request& request, WorkerUseCase use_case) {
  const Status fields = no_fields(request);
  if (!fields.ok() && fields.error().kind == Error::Kind::kUnparsable) return fields.error();
  const WorkerName name = TRY(worker_in_path(request));
  const fleet::Context context = context_of(parts, request);
  if (!fields.ok()) {
    TRY(fleet::find_worker(context, name));
    return fields.error();
  }
  const fleet::Worker worker = TRY(use_case(context, name));
  parts.plane.worker_changed();
  return reply_with(encode(worker));
}

// 404 comes before 422 of the body.
Result<Reply> set_frozen(const ApiParts& parts, const Request& request, bool frozen) {
  const wire::Json body = TRY(body_of(request));
  const WorkerName name = TRY(worker_in_path(request));
  const fleet::Context context = context_of(parts, request);
  wire::ObjectReader reader(body, "");
  const std::string reason = frozen ? reader.required_text("reason") : reader.text("reason").value_or("");
  const Status fields = reader.finish();
  if (!fields.ok()) {
    TRY(fleet::find_worker(context, name));
    return fields.error();
  }
  return reply_with(encode(TRY(frozen ? fleet::freeze_worker(context, name, reason) : fleet::unfreeze_worker(context, name, reason))));
}

// 404 comes before 422 of the body.
Result<Reply> accept(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  const WorkerName name = TRY(worker_in_path(request));
  const fleet::Context context = context_of(parts, request);
  wire::ObjectReader reader(body, "");
  const std::optional<fleet::Accept> what = fleet::accept_of(reader.required_text("what"));
  if (!what) reader.fail(invalid("what", "must be brake, existing, incarnation or session"));
  const std::optional<std::string> unknown = reader.text("unknown");
  const std::optional<fleet::Existing> strangers = unknown ? fleet::existing_of(*unknown) : std::nullopt;
  if (unknown && (!strangers || *strangers == fleet::Existing::kHold)) reader.fail(invalid("unknown", "must be adopt or destroy"));
  const Status fields = reader.finish();
  if (!fields.ok()) {
    TRY(fleet::find_worker(context, name));
    return fields.error();
  }
  const fleet::Worker worker = TRY(fleet::accept_worker(context, name, *what, strangers));
  parts.plane.orders_changed(name.str());
  return reply_with(encode(worker));
}

}  // namespace

void add_worker_routes(Routes& routes, const ApiParts& parts) {
  const std::string all = "/api/v1/workers";
  const std::string one = all + "/{w}";
  routes.add("GET", all, server::Need::kRead, [&parts](const Request& request) { return list_workers(parts, request); });
  routes.add("GET", one, server::Need::kRead, [&parts](const Request& request) { return get_worker(parts, request); });
  routes.add("PUT", one, server::Need::kAdmin, [&parts](const Request& request) { return put_worker(parts, request); });
  routes.add("POST", one + "/accept", server::Need::kAdmin, [&parts](const Request& request) { return accept(parts, request); });
  for (const bool frozen : {true, false}) {
    routes.add("POST", one + (frozen ? "/freeze" : "/unfreeze"), server::Need::kAdmin,
               [&parts, frozen](const Request& request) { return set_frozen(parts, request, frozen); });
  }
  const auto add_change = [&](std::string_view method, const std::string& pattern, WorkerUseCase use_case) {
    routes.add(method, pattern, server::Need::kAdmin,
               [&parts, use_case](const Request& request) { return change_worker(parts, request, use_case); });
  };
  add_change("DELETE", one, &fleet::prune_worker);
  add_change("POST", one + "/prune", &fleet::prune_worker);
  add_change("POST", one + "/land", &fleet::land_worker);
  add_change("POST", one + "/retire", &fleet::retire_worker);
}

}  // namespace reclaim::http
