// Files of the archive, and where their copies lie.
#include "archive/files.hpp"

#include "http/archive_codec.hpp"
#include "http/routes.hpp"
#include "wire/sync.hpp"

namespace reclaim::http {
namespace {

std::string path_of_item(std::size_t index) { return "[" + std::to_string(index) + "]"; }

std::vector<archive::Copy> read_copies(wire::ObjectReader& reader) {
  std::vector<archive::Copy> copies;
  const wire::Json* list = reader.array("copies", archive::kCopiesMax);
  if (list == nullptr) {
    reader.fail(invalid(reader.path_of("copies"), "is required"));
    return copies;
  }
  for (const wire::Json& item : *list) {
    wire::ObjectReader each(item, reader.path_of("copies") + path_of_item(copies.size()));
    copies.push_back({required_name<archive::Vid>(each, "vid"), each.required_integer("fseq", 1, wire::kNumberMax)});
    const Status fields = each.finish();
    if (!fields.ok()) reader.fail(fields.error());
  }
  return copies;
}

Result<archive::FileSpec> decode_file(const wire::Json& item, std::string path) {
  wire::ObjectReader reader(item, std::move(path));
  archive::FileSpec spec{.id = required_name<archive::FileId>(reader, "id"),
                         .size = reader.required_integer("size", 0, wire::kNumberMax),
                         .checksum = reader.required_text("checksum"),
                         .copies = read_copies(reader)};
  TRY(reader.finish());
  spec.checksum = TRY(archive::parse_checksum(spec.checksum, reader.path_of("checksum")));
  return spec;
}

using FileOutcome = Result<archive::Outcome<archive::File>>;

// Decodes each item by itself and hands those that can be read to the catalogue at once.
Result<std::vector<FileOutcome>> add_each(const archive::Context& context, const wire::Json& items) {
  std::vector<archive::FileSpec> specs;
  std::vector<std::optional<Error>> wrong;
  for (const wire::Json& item : items) {
    Result<archive::FileSpec> spec = decode_file(item, path_of_item(wrong.size()));
    wrong.push_back(spec.ok() ? std::nullopt : std::optional(spec.error()));
    if (spec.ok()) specs.push_back(std::move(spec).value());
  }
  std::vector<FileOutcome> added = TRY(archive::add_files(context, specs));
  std::vector<FileOutcome> outcomes;
  auto next = added.begin();
  for (std::optional<Error>& error : wrong) {
    FileOutcome outcome = error ? FileOutcome(std::move(*error)) : std::move(*next++);
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

Result<Reply> add_many(const archive::Context& context, const wire::Json& items) {
  if (items.size() > archive::kFilesMax) return invalid("body", "holds more than " + std::to_string(archive::kFilesMax) + " items");
  Answered results = Answered::array();
  bool any = items.empty();
  int first_failure = 0;
  for (const FileOutcome& outcome : TRY(add_each(context, items))) {
    any = any || outcome.ok();
    if (outcome.ok()) {
      results.push_back(encode(outcome.value().value));
      continue;
    }
    Error error = outcome.error();
    if (error.kind == Error::Kind::kInvalid && !error.field.starts_with('['))
      error.field = path_of_item(results.size()) + "." + error.field;
    if (first_failure == 0) first_failure = wire::status_of(error);
    results.push_back({{"error", Answered::parse(wire::to_problem(error))}});
  }
  return reply_with(results, any ? 201 : first_failure);
}

Result<Reply> add_files(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  const archive::Context context = archive_context_of(parts, request);
  if (body.is_array()) return add_many(context, body);
  const archive::FileSpec spec = TRY(decode_file(body, ""));
  const std::vector<FileOutcome> outcomes = TRY(archive::add_files(context, {spec}));
  const archive::Outcome<archive::File> outcome = TRY(outcomes.front());
  return reply_with(encode(outcome.value), outcome.created ? 201 : 200);
}

Result<Reply> change_copies(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  const archive::FileId id = TRY(name_in_path<archive::FileId>(request, "file"));
  const archive::Context context = archive_context_of(parts, request);
  wire::ObjectReader reader(body, "");
  const std::vector<archive::Copy> copies = read_copies(reader);
  const Status fields = reader.finish();
  if (!fields.ok()) {
    TRY(archive::find_file(context, id));
    return fields.error();
  }
  return reply_with(encode(TRY(archive::change_copies(context, id, copies))));
}

Result<Reply> remove_file(const ApiParts& parts, const Request& request) {
  TRY(no_fields(request));
  const archive::FileId id = TRY(name_in_path<archive::FileId>(request, "file"));
  return reply_with(encode(TRY(parts.archive.remove_file(request.caller.actor(), id))));
}

Result<Reply> get_file(const ApiParts& parts, const Request& request) {
  const archive::FileId id = TRY(name_in_path<archive::FileId>(request, "file"));
  TRY(no_query(request));
  return reply_with(encode(TRY(archive::find_file(archive_context_of(parts, request), id))));
}

Result<Reply> list_of_tape(const archive::Context& context, const archive::Vid& vid, std::int64_t after, std::int64_t limit) {
  return list_reply(
      "files", TRY(archive::list_files_of_tape(context, vid, after, limit + 1)), limit,
      [](const archive::FileOnTape& listed) { return encode(listed.file); },
      [](const archive::FileOnTape& listed) { return std::to_string(listed.fseq); });
}

// By id; or those of one tape, as they lie there.
Result<Reply> list_files(const ApiParts& parts, const Request& request) {
  const archive::Context context = archive_context_of(parts, request);
  QueryReader query(request.call);
  const std::optional<std::string> vid = query.text("vid");
  const std::int64_t after_fseq = vid ? query.integer("after", 1, wire::kNumberMax).value_or(0) : 0;
  const std::string after = query.text("after").value_or("");
  const std::int64_t limit = query.limit();
  TRY(query.finish());
  if (vid) return list_of_tape(context, TRY(archive::parse_name<archive::Vid>(*vid, "vid")), after_fseq, limit);
  return list_reply(
      "files", TRY(archive::list_files(context, after, limit + 1)), limit, [](const archive::File& file) { return encode(file); },
      [](const archive::File& file) { return file.spec.id.str(); });
}

}  // namespace

void add_file_routes(Routes& routes, const ApiParts& parts) {
  const std::string all = "/api/v1/files";
  const std::string one = all + "/{id}";
  routes.add("GET", all, server::Need::kRead, [&parts](const Request& request) { return list_files(parts, request); });
  routes.add("POST", all, server::Need::kClient, [&parts](const Request& request) { return add_files(parts, request); });
  routes.add("GET", one, server::Need::kRead, [&parts](const Request& request) { return get_file(parts, request); });
  routes.add("PUT", one, server::Need::kClient, [&parts](const Request& request) { return change_copies(parts, request); });
  routes.add("DELETE", one, server::Need::kClient, [&parts](const Request& request) { return remove_file(parts, request); });
}

}  // namespace reclaim::http
