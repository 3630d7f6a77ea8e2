// Tapes, and what an operator asks of them.
#include "archive/tapes.hpp"

#include "archive/mounts.hpp"
#include "archive/queue_list.hpp"
#include "archive/state_plan.hpp"
#include "http/archive_codec.hpp"
#include "http/routes.hpp"

namespace reclaim::http {
namespace {

constexpr std::size_t kReasonLengthMax = 1024;

Error no_such_state() { return invalid("state", "must be ACTIVE, DISABLED, REPACKING, REPACKING_DISABLED, BROKEN or EXPORTED"); }

// Without one, or with one that there is not, the reader fails or answers `otherwise`.
archive::TapeState read_state(wire::ObjectReader& reader, std::optional<archive::TapeState> otherwise) {
  const std::optional<std::string> text = reader.text("state");
  const std::optional<archive::TapeState> state = text ? archive::tape_state_of(*text) : otherwise;
  if (!state) reader.fail(no_such_state());
  return state.value_or(archive::TapeState::kActive);
}

Result<archive::TapeSpec> decode_tape(const wire::Json& body) {
  wire::ObjectReader reader(body, "");
  archive::TapeSpec spec{.vid = required_name<archive::Vid>(reader, "vid"),
                         .pool = required_name<archive::PoolName>(reader, "pool"),
                         .library = required_name<archive::LibraryName>(reader, "library")};
  spec.state = read_state(reader, archive::TapeState::kActive);
  spec.reason = reader.text("reason", kReasonLengthMax).value_or("");
  spec.full = reader.boolean("full").value_or(false);
  TRY(reader.finish());
  return spec;
}

using TapesInStore = std::map<archive::Vid, TapeInStore>;

// A tape is shown whatever the store does.
TapesInStore look_at(const ApiParts& parts, const std::vector<archive::Tape>& tapes) {
  std::vector<archive::Vid> vids;
  vids.reserve(tapes.size());
  for (const archive::Tape& tape : tapes) vids.push_back(tape.spec.vid);
  TapesInStore found;
  const Result<std::map<archive::Vid, std::uint64_t>> counts = archive::count_requests(parts.archive.store(), vids);
  if (!counts.ok()) return found;
  for (const auto& [vid, requests] : counts.value()) found[vid].requests = requests;
  const Result<std::vector<archive::Mount>> mounts = archive::list_mounts(parts.archive.store());
  if (mounts.ok()) {
    for (const archive::Mount& mount : mounts.value()) {
      if (mount.problem.empty()) found[mount.vid].mounted_by = mount.drive;
    }
  }
  return found;
}

Answered shown(const ApiParts& parts, const archive::Tape& tape) { return encode(tape, look_at(parts, {tape})[tape.spec.vid]); }

Result<Reply> add_tape(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  const archive::TapeSpec spec = TRY(decode_tape(body));
  const archive::Outcome<archive::Tape> outcome = TRY(archive::add_tape(archive_context_of(parts, request), spec));
  return reply_with(shown(parts, outcome.value), outcome.created ? 201 : 200);
}

Result<Reply> ask_state(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  const archive::Vid vid = TRY(name_in_path<archive::Vid>(request, "tape"));
  wire::ObjectReader reader(body, "");
  const archive::TapeState asked = read_state(reader, std::nullopt);
  const std::string reason = reader.text("reason", kReasonLengthMax).value_or("");
  const Status fields = reader.finish();
  if (!fields.ok()) {
    TRY(archive::find_tape(archive_context_of(parts, request), vid));
    return fields.error();
  }
  const archive::Tape tape = TRY(parts.archive.ask_tape_state(request.caller.actor(), vid, asked, reason));
  return reply_with(shown(parts, tape), archive::is_pending(tape.spec.state) ? 202 : 200);
}

Answered encode(const archive::StatePlan& plan) {
  Answered json;
  json["becomes"] = name_of(plan.becomes);
  json["requeued"] = Answered::object();
  for (const auto& [vid, requests] : plan.requeued) json["requeued"][vid.str()] = requests;
  json["failed"] = plan.failed;
  json["staying"] = plan.staying;
  json["more"] = plan.more;
  return json;
}

Result<Reply> plan_state(const ApiParts& parts, const Request& request) {
  const archive::Vid vid = TRY(name_in_path<archive::Vid>(request, "tape"));
  const archive::Context context = archive_context_of(parts, request);
  TRY(archive::find_tape(context, vid));
  QueryReader query(request.call);
  const std::optional<archive::TapeState> asked = archive::tape_state_of(query.text("state").value_or(""));
  if (!asked) query.fail(no_such_state());
  TRY(query.finish());
  return reply_with(encode(TRY(archive::plan_tape_state(context, parts.archive.store(), vid, *asked))));
}

Result<Reply> remove_tape(const ApiParts& parts, const Request& request) {
  TRY(no_fields(request));
  const archive::Vid vid = TRY(name_in_path<archive::Vid>(request, "tape"));
  return reply_with(shown(parts, TRY(parts.archive.remove_tape(request.caller.actor(), vid))));
}

Result<Reply> get_tape(const ApiParts& parts, const Request& request) {
  const archive::Vid vid = TRY(name_in_path<archive::Vid>(request, "tape"));
  TRY(no_query(request));
  return reply_with(shown(parts, TRY(archive::find_tape(archive_context_of(parts, request), vid))));
}

Result<Reply> list_tapes(const ApiParts& parts, const Request& request) {
  QueryReader query(request.call);
  const std::string after = query.text("after").value_or("");
  const std::int64_t limit = query.limit();
  TRY(query.finish());
  std::vector<archive::Tape> tapes = TRY(archive::list_tapes(archive_context_of(parts, request), after, limit + 1));
  TapesInStore in_store = look_at(parts, tapes);
  return list_reply(
      "tapes", std::move(tapes), limit, [&](const archive::Tape& tape) { return encode(tape, in_store[tape.spec.vid]); },
      [](const archive::Tape& tape) { return tape.spec.vid.str(); });
}

}  // namespace

void add_tape_routes(Routes& routes, const ApiParts& parts) {
  const std::string all = "/api/v1/tapes";
  const std::string one = all + "/{vid}";
  routes.add("GET", all, server::Need::kRead, [&parts](const Request& request) { return list_tapes(parts, request); });
  routes.add("POST", all, server::Need::kAdmin, [&parts](const Request& request) { return add_tape(parts, request); });
  routes.add("GET", one, server::Need::kRead, [&parts](const Request& request) { return get_tape(parts, request); });
  routes.add("DELETE", one, server::Need::kAdmin, [&parts](const Request& request) { return remove_tape(parts, request); });
  routes.add("GET", one + "/state/plan", server::Need::kRead, [&parts](const Request& request) { return plan_state(parts, request); });
  routes.add("PUT", one + "/state", server::Need::kAdmin, [&parts](const Request& request) { return ask_state(parts, request); });
}

}  // namespace reclaim::http
