// Owners: what keeps resources alive.
#include "fleet/owners.hpp"

#include "base/duration.hpp"
#include "http/routes.hpp"

namespace reclaim::http {
namespace {

constexpr std::int64_t kSecondsMax = kDurationMax.count() / 1000;
constexpr std::size_t kKindLengthMax = 128;
constexpr std::size_t kLabelsMax = 64;
constexpr std::size_t kLabelNameMax = 128;
constexpr std::size_t kLabelValueMax = 1024;

std::map<std::string, std::string> read_labels(wire::ObjectReader& reader) {
  std::map<std::string, std::string> labels;
  const wire::Json* object = reader.object("labels");
  if (object == nullptr) return labels;
  if (object->size() > kLabelsMax) reader.fail(invalid("labels", "more than " + std::to_string(kLabelsMax)));
  for (const auto& [name, value] : object->items()) {
    const auto* text = value.get_ptr<const std::string*>();
    const bool fits = text != nullptr && text->size() <= kLabelValueMax && !name.empty() && name.size() <= kLabelNameMax &&
                      text->find('\0') == std::string::npos && name.find('\0') == std::string::npos;
    if (!fits) {
      reader.fail(invalid("labels", "names of 1 to " + std::to_string(kLabelNameMax) + " bytes with strings of at most " +
                                        std::to_string(kLabelValueMax) + " bytes"));
      return {};
    }
    labels.emplace(name, *text);
  }
  return labels;
}

Result<fleet::OwnerSpec> decode_owner(OwnerId id, const wire::Json& body) {
  wire::ObjectReader reader(body, "");
  fleet::OwnerSpec spec{.id = std::move(id), .kind = reader.required_text("kind", kKindLengthMax), .ttl = {}, .labels = {}};
  if (spec.kind.empty()) reader.fail(invalid("kind", "must not be empty"));
  const std::optional<std::int64_t> ttl_s = reader.integer("ttl_s", 1, kSecondsMax);
  if (ttl_s) spec.ttl = std::chrono::seconds(*ttl_s);
  spec.interruptible = reader.boolean("interruptible").value_or(true);
  spec.labels = read_labels(reader);
  TRY(reader.finish());
  return spec;
}

Result<Reply> put_owner(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  OwnerId id = TRY(parse_owner_id(request.parameters[0]));
  const fleet::OwnerSpec spec = TRY(decode_owner(std::move(id), body));
  const fleet::Context context = context_of(parts, request);
  const fleet::Outcome<fleet::Owner> outcome = TRY(fleet::put_owner(context, spec));
  return reply_with(encode(outcome.value, context.moment.wall), outcome.created ? 201 : 200);
}

Result<Reply> release_owner(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  const OwnerId id = TRY(owner_in_path(request));
  const fleet::Context context = context_of(parts, request);
  wire::ObjectReader reader(body, "");
  const std::int64_t keep_for_s = reader.integer("keep_for_s", 0, kSecondsMax).value_or(0);
  const Status fields = reader.finish();
  if (!fields.ok()) {
    TRY(fleet::find_owner(context, id));
    return fields.error();
  }
  const fleet::Owner owner = TRY(fleet::release_owner(context, id, std::chrono::seconds(keep_for_s)));
  parts.plane.owner_changed();
  return reply_with(encode(owner, context.moment.wall));
}

Result<Reply> delete_owner(const ApiParts& parts, const Request& request) {
  TRY(no_fields(request));
  const OwnerId id = TRY(owner_in_path(request));
  const fleet::Context context = context_of(parts, request);
  return reply_with(encode(TRY(fleet::delete_owner(context, id)), context.moment.wall));
}

Result<Reply> get_owner(const ApiParts& parts, const Request& request) {
  const OwnerId id = TRY(owner_in_path(request));
  TRY(no_query(request));
  const fleet::Context context = context_of(parts, request);
  return reply_with(encode(TRY(fleet::find_owner(context, id)), context.moment.wall));
}

Result<Reply> list_owners(const ApiParts& parts, const Request& request) {
  QueryReader query(request.call);
  const std::string after = query.text("after").value_or("");
  const std::int64_t limit = query.limit();
  TRY(query.finish());
  const fleet::Context context = context_of(parts, request);
  return list_reply(
      "owners", TRY(fleet::list_owners(context, after, limit + 1)), limit,
      [&](const fleet::Owner& owner) { return encode(owner, context.moment.wall); },
      [](const fleet::Owner& owner) { return owner.spec.id.str(); });
}

}  // namespace

void add_owner_routes(Routes& routes, const ApiParts& parts) {
  const std::string all = "/api/v1/owners";
  const std::string one = all + "/{id}";
  routes.add("GET", all, server::Need::kRead, [&parts](const Request& request) { return list_owners(parts, request); });
  routes.add("GET", one, server::Need::kRead, [&parts](const Request& request) { return get_owner(parts, request); });
  routes.add("PUT", one, server::Need::kClient, [&parts](const Request& request) { return put_owner(parts, request); });
  routes.add("DELETE", one, server::Need::kClient, [&parts](const Request& request) { return delete_owner(parts, request); });
  routes.add("POST", one + "/release", server::Need::kClient, [&parts](const Request& request) { return release_owner(parts, request); });
}

}  // namespace reclaim::http
