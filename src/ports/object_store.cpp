#include "ports/object_store.hpp"

#include <algorithm>

namespace reclaim::ports {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alphanumeric(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_key_character(char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '@' || c == '-'; }

bool is_kind(std::string_view kind) { return !kind.empty() && kind.size() <= kObjectKindMax && std::ranges::all_of(kind, is_lower); }

bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= kObjectKeyMax && is_alphanumeric(key.front()) && std::ranges::all_of(key, is_key_character);
}

Error not_a_name() { return invalid("name", "the name of an object is KIND/KEY: [a-z]{1,16}/[A-Za-z0-9][A-Za-z0-9._@-]{0,199}"); }

}  // namespace

bool is_well_formed(const ObjectName& name) { return is_kind(name.kind) && is_key(name.key); }

Result<ObjectName> parse_object_name(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return not_a_name();
  ObjectName name{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
  if (!is_well_formed(name)) return not_a_name();
  return name;
}

std::string_view name_of(StoreCall::Op op) {
  switch (op) {
    case StoreCall::Op::kCreate: return "create";
    case StoreCall::Op::kRead: return "read";
    case StoreCall::Op::kReplace: return "replace";
    case StoreCall::Op::kRemove: return "remove";
  }
  return "";
}

StoreCall create_call(ObjectName name, std::string bytes) {
  return {.op = StoreCall::Op::kCreate, .name = std::move(name), .bytes = std::move(bytes)};
}
StoreCall read_call(ObjectName name) { return {.op = StoreCall::Op::kRead, .name = std::move(name)}; }
StoreCall replace_call(ObjectName name, Version version, std::string bytes) {
  return {.op = StoreCall::Op::kReplace, .name = std::move(name), .version = version, .bytes = std::move(bytes)};
}
StoreCall remove_call(ObjectName name, Version version) {
  return {.op = StoreCall::Op::kRemove, .name = std::move(name), .version = version};
}

StoreAnswer ObjectStore::run_one(StoreCall call) {
  std::vector<StoreAnswer> answers = run({&call, 1});
  check(answers.size() == 1, "one answer for each call");
  return std::move(answers.front());
}

Result<Version> ObjectStore::create(ObjectName name, std::string bytes) {
  return TRY(run_one(create_call(std::move(name), std::move(bytes)))).version;
}

Result<Object> ObjectStore::read(ObjectName name) { return run_one(read_call(std::move(name))); }

Result<Version> ObjectStore::replace(ObjectName name, Version version, std::string bytes) {
  return TRY(run_one(replace_call(std::move(name), version, std::move(bytes)))).version;
}

Status ObjectStore::remove(ObjectName name, Version version) {
  TRY(run_one(remove_call(std::move(name), version)));
  return done();
}

Result<std::vector<std::string>> ObjectStore::list_all(const std::string& kind) {
  std::vector<std::string> all;
  for (;;) {
    std::vector<std::string> page = TRY(list(kind, all.empty() ? "" : all.back(), kStoreListMax));
    const bool last = page.size() < kStoreListMax;
    std::ranges::move(page, std::back_inserter(all));
    if (last) return all;
  }
}

Status check_call(const StoreCall& call) {
  if (!is_well_formed(call.name)) return not_a_name();
  if (call.bytes.size() <= kObjectBytesMax) return done();
  return too_large(call.name.str() + " would have " + std::to_string(call.bytes.size()) + " bytes, the most is " +
                   std::to_string(kObjectBytesMax));
}

Status check_batch(std::span<const StoreCall> calls) {
  if (calls.size() > kStoreBatchMax) {
    return too_large("a batch of " + std::to_string(calls.size()) + " calls, the most is " + std::to_string(kStoreBatchMax));
  }
  std::size_t bytes = 0;
  std::vector<const ObjectName*> names;
  for (const StoreCall& call : calls) {
    bytes += call.bytes.size();
    names.push_back(&call.name);
  }
  if (bytes > kStoreBatchBytesMax) {
    return too_large("a batch of " + std::to_string(bytes) + " bytes, the most is " + std::to_string(kStoreBatchBytesMax));
  }
  std::ranges::sort(names, {}, [](const ObjectName* name) -> const ObjectName& { return *name; });
  const auto twice = std::ranges::adjacent_find(names, {}, [](const ObjectName* name) -> const ObjectName& { return *name; });
  if (twice != names.end()) return invalid("name", "a batch names an object twice");
  return done();
}

Status check_list(const std::string& kind, const std::string& after) {
  if (is_kind(kind) && (after.empty() || is_key(after))) return done();
  return not_a_name();
}

Status check_guard(const StoreCall& call, std::optional<Version> present) {
  if (call.op == StoreCall::Op::kCreate) return present ? Status(conflict(call.name.str() + " exists")) : done();
  if (!present) return not_found("there is no " + call.name.str());
  if (call.op == StoreCall::Op::kRead || present == call.version) return done();
  return conflict(call.name.str() + " is at version " + std::to_string(present->number) + ", not at " +
                  std::to_string(call.version.number));
}

}  // namespace reclaim::ports
