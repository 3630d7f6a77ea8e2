#include "wire/sync.hpp"

#include <algorithm>
#include <utility>

#include "wire/json.hpp"

namespace reclaim::wire {
namespace {

constexpr std::size_t kTokenMax = 128;         // session, incarnation, lineage
constexpr std::size_t kTextMax = 4096;         // a handle as found, an error
constexpr std::size_t kWrittenTextMax = 1024;  // bytes that are not UTF-8 may triple when written
constexpr std::size_t kReplacesMax = 10'000;
constexpr std::size_t kMalformedMax = 10'000;
constexpr std::size_t kUnlistedMax = 100;

std::string printable(ObjectReader& reader, const char* key, std::string value) {
  const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (value.empty() || !std::ranges::all_of(value, is_printable)) {
    reader.fail(invalid(reader.path_of(key), "must be 1 to 128 printable ASCII characters"));
  }
  return value;
}

std::string required_token(ObjectReader& reader, const char* key) { return printable(reader, key, reader.required_text(key, kTokenMax)); }

std::string token_or(ObjectReader& reader, const char* key, const std::string& otherwise) {
  return printable(reader, key, reader.text(key, kTokenMax).value_or(otherwise));
}

std::string indexed(const std::string& path, std::size_t index) { return path + "[" + std::to_string(index) + "]"; }

Result<ResourceKind> kind_of(const std::string& name, std::string path) {
  for (const ResourceKind kind : kResourceKinds) {
    if (name == name_of(kind)) return kind;
  }
  return invalid(std::move(path), "must be container or volume");
}

// Moves the strings of `owner[key]` out of the tree: an inventory can be a million of them, and the tree is thrown away anyway.
std::vector<std::string> take_texts(ObjectReader& reader, Json& owner, const char* key, std::size_t count_max) {
  std::vector<std::string> texts;
  if (reader.array(key, count_max) == nullptr) return texts;
  Json& list = owner[key];
  texts.reserve(list.size());
  for (Json& item : list) {
    auto* text = item.get_ptr<std::string*>();
    if (text == nullptr || text->size() > kTextMax) {
      reader.fail(invalid(indexed(reader.path_of(key), texts.size()), "must be a string of at most 4096 bytes"));
      return {};
    }
    texts.push_back(std::move(*text));
  }
  return texts;
}

Result<Inventory> parse_inventory(Json& json, std::string path) {
  ObjectReader reader(json, std::move(path));
  Inventory inventory;
  if (reader.array("full", kHandlesMax) != nullptr) {
    inventory.added = take_texts(reader, json, "full", kHandlesMax);
    TRY(reader.finish());  // refuses the fields of a delta beside it
    return inventory;
  }
  inventory.base = reader.required_integer("base", 0, kNumberMax);
  inventory.added = take_texts(reader, json, "added", kHandlesMax);
  inventory.removed = take_texts(reader, json, "removed", kHandlesMax);
  inventory.count = reader.required_integer("count", 0, kNumberMax);
  const Result<SetDigest> digest = SetDigest::from_hex(reader.required_text("digest"));
  TRY(reader.finish());
  if (!digest.ok()) return invalid(reader.path_of("digest"), digest.error().message);
  inventory.digest = digest.value();
  return inventory;
}

Result<PerKind<std::optional<Inventory>>> parse_inventories(ObjectReader& reader, Json& root) {
  PerKind<std::optional<Inventory>> inventories;
  for (const ResourceKind kind : kResourceKinds) {
    const char* key = plural_of(kind).data();
    if (reader.object(key) != nullptr) inventories[kind] = TRY(parse_inventory(root[key], reader.path_of(key)));
  }
  return inventories;
}

Result<DestroyResult> parse_result(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  DestroyResult result;
  const std::string kind = reader.required_text("kind");
  result.handle = reader.required_text("handle");
  const std::optional<bool> succeeded = reader.boolean("ok");
  if (!succeeded) reader.fail(invalid(reader.path_of("ok"), "is required"));
  result.succeeded = succeeded.value_or(false);
  result.error = reader.text("error").value_or("");
  result.attempt = reader.integer("attempt", 0, kNumberMax).value_or(1);
  result.took_ms = reader.integer("took_ms", 0, kNumberMax);
  result.stuck = reader.boolean("stuck").value_or(false);
  TRY(reader.finish());
  result.kind = TRY(kind_of(kind, reader.path_of("kind")));
  return result;
}

Result<Malformed> parse_malformed(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  Malformed malformed;
  const std::string kind = reader.required_text("kind");
  malformed.name = reader.required_text("name");
  TRY(reader.finish());
  malformed.kind = TRY(kind_of(kind, reader.path_of("kind")));
  return malformed;
}

Result<Unlisted> parse_unlisted(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  Unlisted unlisted;
  const std::string kind = reader.required_text("kind");
  unlisted.error = reader.text("error", kTextMax).value_or("");
  TRY(reader.finish());
  unlisted.kind = TRY(kind_of(kind, reader.path_of("kind")));
  return unlisted;
}

template <class T>
Result<std::vector<T>> parse_each(ObjectReader& reader, const char* key, std::size_t count_max,
                                  Result<T> (*parse)(const Json&, const std::string&)) {
  std::vector<T> items;
  const Json* list = reader.array(key, count_max);
  if (list == nullptr) return items;
  items.reserve(list->size());
  for (const Json& item : *list) items.push_back(TRY(parse(item, indexed(reader.path_of(key), items.size()))));
  return items;
}

Result<std::optional<Answered>> parse_answered(ObjectReader& outer) {
  const Json* json = outer.object("answered");
  if (json == nullptr) return std::optional<Answered>{};
  ObjectReader reader(*json, outer.path_of("answered"));
  Answered answered;
  answered.lineage = required_token(reader, "lineage");
  answered.session = required_token(reader, "session");
  answered.sequence = reader.required_integer("sequence", 0, kNumberMax);
  TRY(reader.finish());
  return std::optional(std::move(answered));
}

Result<std::optional<Disk>> parse_disk(ObjectReader& outer) {
  const Json* json = outer.object("disk");
  if (json == nullptr) return std::optional<Disk>{};
  ObjectReader reader(*json, outer.path_of("disk"));
  Disk disk;
  disk.total_bytes = reader.required_integer("total_bytes", 0, kNumberMax);
  disk.used_bytes = reader.required_integer("used_bytes", 0, kNumberMax);
  TRY(reader.finish());
  return std::optional(disk);
}

enum class Unknown { kRefused, kIgnored };

Result<PerKind<std::vector<std::string>>> parse_handles(ObjectReader& outer, Json& root, const char* key, Unknown unknown) {
  PerKind<std::vector<std::string>> handles;
  if (outer.object(key) == nullptr) return handles;
  Json& json = root[key];
  ObjectReader reader(json, outer.path_of(key));
  for (const ResourceKind kind : kResourceKinds) handles[kind] = take_texts(reader, json, plural_of(kind).data(), kInHandMax);
  TRY(unknown == Unknown::kRefused ? reader.finish() : reader.so_far());
  return handles;
}

void parse_session(ObjectReader& reader, SyncRequest& request, const Standing* standing) {
  if (std::optional<std::string> boot = reader.text("boot", kTokenMax)) request.boot = printable(reader, "boot", *std::move(boot));
  if (const std::optional<std::string> consent = reader.text("new_incarnation", kTokenMax)) {
    request.accepts_new_incarnation = *consent == "accept";
    if (*consent != "accept" && *consent != "hold") reader.fail(invalid(reader.path_of("new_incarnation"), "must be hold or accept"));
  }
  if (request.same && standing != nullptr) {
    request.session = token_or(reader, "session", standing->session);
    request.incarnation = token_or(reader, "incarnation", standing->incarnation);
    request.started = reader.integer("started", 1, kNumberMax).value_or(standing->started);
  } else {
    request.session = required_token(reader, "session");
    request.incarnation = required_token(reader, "incarnation");
    request.started = reader.required_integer("started", 1, kNumberMax);
  }
}

Result<std::vector<ResourceKind>> parse_resync(ObjectReader& reader) {
  std::vector<ResourceKind> kinds;
  for (const std::string& name : reader.texts("resync", std::size(kResourceKinds))) {
    const auto* kind = std::ranges::find(kResourceKinds, name, plural_of);
    if (kind == std::end(kResourceKinds)) return invalid(indexed(reader.path_of("resync"), kinds.size()), "must be containers or volumes");
    kinds.push_back(*kind);
  }
  return kinds;
}

// Writes compact JSON in the order of the calls; what would be empty is left out by the caller.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  ~ObjectWriter() { out_ += '}'; }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  std::string& key(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    out_ += '"';
    return out_.append(name).append("\":");
  }
  void integer(std::string_view name, std::int64_t value) { key(name) += std::to_string(value); }
  void boolean(std::string_view name, bool value) { key(name) += value ? "true" : "false"; }
  void text(std::string_view name, std::string_view value) { append(key(name), value); }
  void texts(std::string_view name, const std::vector<std::string>& values) {
    list(name, values, [this](const std::string& value) { append(out_, value); });
  }
  template <class T, class Write>
  void list(std::string_view name, const std::vector<T>& values, Write write) {
    key(name) += '[';
    for (const T& value : values) {
      if (&value != values.data()) out_ += ',';
      write(value);
    }
    out_ += ']';
  }

 private:
  static void append(std::string& out, std::string_view value) {
    const bool is_plain = std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
    if (is_plain) {
      out += '"';
      out.append(value) += '"';
    } else {
      out += to_text(Json(value));
    }
  }

  std::string& out_;
};

void write_inventory(std::string& out, const Inventory& inventory) {
  ObjectWriter writer(out);
  if (!inventory.base) return writer.texts("full", inventory.added);
  writer.integer("base", *inventory.base);
  if (!inventory.added.empty()) writer.texts("added", inventory.added);
  if (!inventory.removed.empty()) writer.texts("removed", inventory.removed);
  writer.integer("count", inventory.count);
  writer.text("digest", inventory.digest.hex());
}

// What a runtime or a file system said, short and clean enough that no reader refuses the sync for it.
std::string presentable(std::string text) {
  text.resize(std::min(text.size(), kWrittenTextMax));
  std::ranges::replace(text, '\0', ' ');
  return text;
}

void write_result(std::string& out, const DestroyResult& result) {
  ObjectWriter writer(out);
  writer.text("kind", name_of(result.kind));
  writer.text("handle", result.handle);
  writer.boolean("ok", result.succeeded);
  if (!result.error.empty()) writer.text("error", presentable(result.error));
  if (result.attempt != 1) writer.integer("attempt", result.attempt);
  if (result.took_ms) writer.integer("took_ms", *result.took_ms);
  if (result.stuck) writer.boolean("stuck", true);
}

void write_handles(ObjectWriter& outer, const char* key, const PerKind<std::vector<std::string>>& handles) {
  if (handles.containers.empty() && handles.volumes.empty()) return;
  ObjectWriter writer(outer.key(key));
  for (const ResourceKind kind : kResourceKinds) {
    if (!handles[kind].empty()) writer.texts(plural_of(kind), handles[kind]);
  }
}

void write_session(ObjectWriter& writer, const SyncRequest& request) {
  if (!request.session.empty()) writer.text("session", request.session);
  if (!request.incarnation.empty()) writer.text("incarnation", request.incarnation);
  if (request.started != 0) writer.integer("started", request.started);
  writer.integer("sequence", request.sequence);
  writer.integer("as_of", request.as_of);
  if (!request.boot.empty()) writer.text("boot", request.boot);
  if (request.accepts_new_incarnation) writer.text("new_incarnation", "accept");
  if (!request.answered) return;
  ObjectWriter answered(writer.key("answered"));
  answered.text("lineage", request.answered->lineage);
  answered.text("session", request.answered->session);
  answered.integer("sequence", request.answered->sequence);
}

void write_disk(std::string& out, const Disk& disk) {
  ObjectWriter writer(out);
  writer.integer("total_bytes", disk.total_bytes);
  writer.integer("used_bytes", disk.used_bytes);
}

}  // namespace

Result<SyncRequest> parse_sync_request(std::string_view text, const Standing* standing) {
  Json root = TRY(parse_json(text));
  ObjectReader reader(root, "");
  SyncRequest request;
  request.same = reader.boolean("same").value_or(false);
  parse_session(reader, request, standing);
  request.sequence = reader.required_integer("sequence", 1, kNumberMax);
  request.as_of = reader.required_integer("as_of", 0, kNumberMax);
  request.answered = TRY(parse_answered(reader));
  request.inventories = TRY(parse_inventories(reader, root));
  request.malformed = TRY(parse_each(reader, "malformed", kMalformedMax, parse_malformed));
  request.unlisted = TRY(parse_each(reader, "unlisted", kUnlistedMax, parse_unlisted));
  request.results = TRY(parse_each(reader, "results", kResultsMax, parse_result));
  request.in_hand = TRY(parse_handles(reader, root, "in_hand", Unknown::kRefused));
  request.disk = TRY(parse_disk(reader));
  request.wait_ms = reader.integer("wait_ms", 0, kWaitMaxMs).value_or(0);
  TRY(reader.finish());
  for (const ResourceKind kind : kResourceKinds) {
    if (request.same && request.inventories[kind]) return invalid(std::string(plural_of(kind)), "is left out when same is true");
  }
  return request;
}

Result<SyncAnswer> parse_sync_answer(std::string_view text) {
  Json root = TRY(parse_json(text));
  ObjectReader reader(root, "");
  SyncAnswer answer;
  answer.sequence = reader.required_integer("sequence", 1, kNumberMax);
  answer.lineage = required_token(reader, "lineage");
  answer.replaces = reader.texts("replaces", kReplacesMax);
  answer.high_water = reader.required_integer("high_water", 0, kNumberMax);
  answer.destroy = TRY(parse_handles(reader, root, "destroy", Unknown::kIgnored));
  answer.resync = TRY(parse_resync(reader));
  answer.next_sync_ms = reader.required_integer("next_sync_ms", 0, kNumberMax);
  TRY(reader.so_far());
  return answer;
}

std::string to_json(const SyncRequest& request) {
  std::string out;
  {
    ObjectWriter writer(out);
    write_session(writer, request);
    if (request.same) writer.boolean("same", true);
    for (const ResourceKind kind : kResourceKinds) {
      if (request.inventories[kind]) write_inventory(writer.key(plural_of(kind)), *request.inventories[kind]);
    }
    if (!request.malformed.empty()) {
      writer.list("malformed", request.malformed, [&out](const Malformed& malformed) {
        ObjectWriter item(out);
        item.text("kind", name_of(malformed.kind));
        item.text("name", presentable(malformed.name));
      });
    }
    if (!request.unlisted.empty()) {
      writer.list("unlisted", request.unlisted, [&out](const Unlisted& unlisted) {
        ObjectWriter item(out);
        item.text("kind", name_of(unlisted.kind));
        if (!unlisted.error.empty()) item.text("error", presentable(unlisted.error));
      });
    }
    if (!request.results.empty()) {
      writer.list("results", request.results, [&out](const DestroyResult& result) { write_result(out, result); });
    }
    write_handles(writer, "in_hand", request.in_hand);
    if (request.disk) write_disk(writer.key("disk"), *request.disk);
    if (request.wait_ms != 0) writer.integer("wait_ms", request.wait_ms);
  }
  return out;
}

std::string to_json(const SyncAnswer& answer) {
  std::string out;
  {
    ObjectWriter writer(out);
    writer.integer("sequence", answer.sequence);
    writer.text("lineage", answer.lineage);
    if (!answer.replaces.empty()) writer.texts("replaces", answer.replaces);
    writer.integer("high_water", answer.high_water);
    write_handles(writer, "destroy", answer.destroy);
    if (!answer.resync.empty()) {
      writer.list("resync", answer.resync, [&out](ResourceKind kind) { out.append("\"").append(plural_of(kind)).append("\""); });
    }
    writer.integer("next_sync_ms", answer.next_sync_ms);
  }
  return out;
}

}  // namespace reclaim::wire
