#include "http/routes.hpp"

namespace reclaim::http {

fleet::Context context_of(const ApiParts& parts, const Request& request) { return parts.plane.context(request.caller.actor()); }

Result<wire::Json> body_of(const Request& request) {
  if (request.call.body.empty()) return wire::Json(wire::Json::object());
  return wire::parse_json(request.call.body);
}

Status no_fields(const Request& request) {
  const wire::Json body = TRY(body_of(request));
  return wire::ObjectReader(body, "").finish();
}

Status no_query(const Request& request) { return QueryReader(request.call).finish(); }

Reply reply_with(const Answered& json, int status) { return {.status = status, .body = to_text(json)}; }

Result<WorkerName> worker_in_path(const Request& request, std::size_t index) {
  const std::string& text = request.parameters.at(index);
  if (!is_well_formed_name(text)) return not_found("no such worker");
  return WorkerName(text);
}

Result<OwnerId> owner_in_path(const Request& request) {
  auto id = parse_owner_id(request.parameters.at(0));
  if (!id.ok()) return not_found("no such owner");
  return id;
}

}  // namespace reclaim::http
