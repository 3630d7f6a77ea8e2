// Errors as RFC 9457 bodies, there and back.
#include "wire/json.hpp"
#include "wire/sync.hpp"

namespace reclaim::wire {
namespace {

constexpr std::string_view kUrn = "urn:reclaim:";

constexpr Error::Kind kKinds[] = {
    Error::Kind::kNotFound, Error::Kind::kConflict,   Error::Kind::kFenced,   Error::Kind::kUnavailable, Error::Kind::kCorrupt,
    Error::Kind::kInvalid,  Error::Kind::kUnparsable, Error::Kind::kTooLarge, Error::Kind::kForbidden,   Error::Kind::kUnauthenticated};

struct Shown {
  int status;
  const char* title;
};

Shown shown(Error::Kind kind) {
  switch (kind) {
    case Error::Kind::kNotFound: return {404, "Not found"};
    case Error::Kind::kConflict: return {409, "Not possible in the present state"};
    case Error::Kind::kFenced: return {409, "Superseded"};
    case Error::Kind::kContended: return {503, "Too busy, nothing happened"};
    case Error::Kind::kUnavailable: return {503, "Temporarily unavailable"};
    case Error::Kind::kCorrupt: return {500, "Stored data is damaged"};
    case Error::Kind::kInvalid: return {422, "Invalid request"};
    case Error::Kind::kUnparsable: return {400, "Unreadable request"};
    case Error::Kind::kTooLarge: return {413, "Too large"};
    case Error::Kind::kForbidden: return {403, "Not allowed"};
    case Error::Kind::kUnauthenticated: return {401, "Not authenticated"};
  }
  check(false, "unknown error kind");
  return {};
}

Error unknown_problem(int status, std::string_view why) {
  return unavailable("the other side answered " + std::to_string(status) + std::string(why));
}

}  // namespace

int status_of(const Error& error) { return shown(error.kind).status; }

std::string to_problem(const Error& error) {
  nlohmann::ordered_json problem;
  problem["type"] = std::string(kUrn).append(name_of(error.kind));
  problem["title"] = shown(error.kind).title;
  problem["status"] = status_of(error);
  problem["detail"] = error.message;
  if (!error.field.empty()) problem[error.kind == Error::Kind::kFenced ? "fenced_by" : "field"] = error.field;
  return problem.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Error parse_problem(int status, std::string_view body) {
  Result<Json> json = parse_json(body);
  if (!json.ok()) return unknown_problem(status, " with a body that is not a problem");
  ObjectReader reader(json.value(), "");
  const std::string type = reader.text("type").value_or("");
  std::string detail = reader.text("detail", body.size()).value_or("");
  std::optional<std::string> field = reader.text("field");
  if (!field) field = reader.text("fenced_by");
  if (!reader.ok()) return unknown_problem(status, " with a body that is not a problem");
  for (const Error::Kind kind : kKinds) {
    const bool same = type == std::string(kUrn).append(name_of(kind)) && status == shown(kind).status;
    if (same) return {kind, std::move(detail), std::move(field).value_or("")};
  }
  return unknown_problem(status, detail.empty() ? "" : ": " + detail);
}

}  // namespace reclaim::wire
