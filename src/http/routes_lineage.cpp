// The lineage: what this control plane has forgotten, and the operator's word on it.
#include "fleet/lineage.hpp"
#include "http/routes.hpp"

namespace reclaim::http {
namespace {

Result<Reply> get_lineage(const ApiParts& parts, const Request& request) {
  TRY(no_query(request));
  return reply_with(encode(TRY(fleet::read_lineage(context_of(parts, request)))));
}

Result<Reply> accept_lineage(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  wire::ObjectReader reader(body, "");
  const std::optional<fleet::Existing> unknown = fleet::existing_of(reader.required_text("unknown"));
  if (!unknown || *unknown == fleet::Existing::kHold) reader.fail(invalid("unknown", "must be adopt or destroy"));
  TRY(reader.finish());
  return reply_with(encode(TRY(fleet::accept_lineage(context_of(parts, request), make_uuid(parts.random), *unknown))));
}

}  // namespace

void add_lineage_routes(Routes& routes, const ApiParts& parts) {
  routes.add("GET", "/api/v1/lineage", server::Need::kRead, [&parts](const Request& request) { return get_lineage(parts, request); });
  routes.add("POST", "/api/v1/lineage/accept", server::Need::kAdmin,
             [&parts](const Request& request) { return accept_lineage(parts, request); });
}

}  // namespace reclaim::http
