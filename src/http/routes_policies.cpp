// Policies: when a mount pays.
#include "archive/policies.hpp"

#include "base/duration.hpp"
#include "http/archive_codec.hpp"
#include "http/routes.hpp"
#include "wire/sync.hpp"

namespace reclaim::http {
namespace {

constexpr std::int64_t kPriorityMax = 1'000'000;
constexpr std::int64_t kSecondsMax = kDurationMax.count() / 1000;

Result<Reply> put_policy(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  wire::ObjectReader reader(body, "");
  archive::Policy policy{.name = TRY(archive::parse_name<archive::PolicyName>(request.parameters.at(0), "name"))};
  policy.priority = reader.integer("priority", -kPriorityMax, kPriorityMax).value_or(0);
  policy.min_age_s = reader.integer("min_age_s", 0, kSecondsMax).value_or(0);
  policy.min_files = reader.integer("min_files", 0, wire::kNumberMax).value_or(0);
  policy.min_bytes = reader.integer("min_bytes", 0, wire::kNumberMax).value_or(0);
  TRY(reader.finish());
  const archive::Outcome<archive::Policy> outcome = TRY(archive::put_policy(archive_context_of(parts, request), policy));
  return reply_with(encode(outcome.value), outcome.created ? 201 : 200);
}

Result<Reply> remove_policy(const ApiParts& parts, const Request& request) {
  TRY(no_fields(request));
  const archive::PolicyName name = TRY(name_in_path<archive::PolicyName>(request, "policy"));
  return reply_with(encode(TRY(archive::remove_policy(archive_context_of(parts, request), name))));
}

Result<Reply> get_policy(const ApiParts& parts, const Request& request) {
  const archive::PolicyName name = TRY(name_in_path<archive::PolicyName>(request, "policy"));
  TRY(no_query(request));
  return reply_with(encode(TRY(archive::find_policy(archive_context_of(parts, request), name))));
}

Result<Reply> list_policies(const ApiParts& parts, const Request& request) {
  QueryReader query(request.call);
  const std::string after = query.text("after").value_or("");
  const std::int64_t limit = query.limit();
  TRY(query.finish());
  return list_reply(
      "policies", TRY(archive::list_policies(archive_context_of(parts, request), after, limit + 1)), limit,
      [](const archive::Policy& policy) { return encode(policy); }, [](const archive::Policy& policy) { return policy.name.str(); });
}

}  // namespace

void add_policy_routes(Routes& routes, const ApiParts& parts) {
  const std::string all = "/api/v1/policies";
  const std::string one = all + "/{name}";
  routes.add("GET", all, server::Need::kRead, [&parts](const Request& request) { return list_policies(parts, request); });
  routes.add("GET", one, server::Need::kRead, [&parts](const Request& request) { return get_policy(parts, request); });
  routes.add("PUT", one, server::Need::kAdmin, [&parts](const Request& request) { return put_policy(parts, request); });
  routes.add("DELETE", one, server::Need::kAdmin, [&parts](const Request& request) { return remove_policy(parts, request); });
}

}  // namespace reclaim::http
