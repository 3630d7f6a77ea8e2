// Requests to read files: submitted, shown, taken back; and the failed ones, for their operator.
#include "server/retrieves.hpp"

#include "http/archive_codec.hpp"
#include "http/routes.hpp"
#include "wire/sync.hpp"

namespace reclaim::http {
namespace {

constexpr std::size_t kSubmissionsMax = 10'000;  // of one array
constexpr std::int64_t kPriorityMax = 1'000'000;

std::string path_of_item(std::size_t index) { return "[" + std::to_string(index) + "]"; }

std::vector<std::string> errors_of(const archive::stored::Request& request) { return {request.errors().begin(), request.errors().end()}; }

Answered vid_of(const archive::stored::Request& request) {
  const archive::stored::Request::Copy* copy = archive::active_copy(request);
  return copy == nullptr ? Answered() : Answered(copy->vid());
}

Answered text_or_null(const std::string& text) { return text.empty() ? Answered() : Answered(text); }

Answered encode(const archive::ShownRequest& shown) {
  const archive::stored::Request& request = shown.request;
  Answered json;
  json["id"] = text_of(shown.id);
  json["file"] = request.file();
  json["state"] = name_of(shown.state);
  json["reported"] = is_final(shown.state) ? Answered(shown.reported) : Answered();
  json["vid"] = vid_of(request);
  json["copy"] = archive::active_copy(request) == nullptr ? Answered() : Answered(request.active_copy() + 1);
  json["attempts"] = request.attempts().total();
  json["errors"] = errors_of(request);
  json["created"] = to_rfc3339(WallTime{request.created_ms()});
  json["destination"] = request.destination();
  json["requester"] = text_or_null(request.requester());
  json["report_to"] = text_or_null(request.report_to());
  json["priority"] = request.priority();
  json["policy"] = text_or_null(request.policy());
  return json;
}

Answered encode_failed(const archive::ShownRequest& shown) {
  const archive::stored::Request& request = shown.request;
  Answered json;
  json["id"] = text_of(shown.id);
  json["file"] = request.file();
  json["vid"] = vid_of(request);
  json["errors"] = errors_of(request);
  // One that was set aside may have lost it.
  json["since"] = to_rfc3339(WallTime{request.failed_ms() == 0 ? request.created_ms() : request.failed_ms()});
  json["report_to"] = text_or_null(request.report_to());
  return json;
}

Answered encode(const archive::Enqueued& enqueued) {
  Answered json;
  json["id"] = text_of(enqueued.id);
  json["vid"] = enqueued.vid.str();
  return json;
}

Result<archive::Submission> decode_submission(const wire::Json& item, std::string path) {
  wire::ObjectReader reader(item, std::move(path));
  archive::Submission submission{.file = required_name<archive::FileId>(reader, "file"),
                                 .destination = reader.required_text("destination")};
  submission.report_to = reader.text("report_to").value_or("");
  submission.requester = reader.text("requester").value_or("");
  submission.priority = reader.integer("priority", -kPriorityMax, kPriorityMax).value_or(0);
  const std::optional<std::string> policy = reader.text("policy");
  TRY(reader.finish());
  if (policy) submission.policy = TRY(archive::parse_name<archive::PolicyName>(*policy, reader.path_of("policy")));
  return submission;
}

using Outcome = Result<archive::Enqueued>;

// Decodes each item by itself and hands those that can be read to the desk at once.
std::vector<Outcome> submit_each(const ApiParts& parts, const wire::Json& items) {
  std::vector<archive::Submission> submissions;
  std::vector<std::optional<Error>> wrong;
  for (const wire::Json& item : items) {
    Result<archive::Submission> submission = decode_submission(item, path_of_item(wrong.size()));
    wrong.push_back(submission.ok() ? std::nullopt : std::optional(submission.error()));
    if (submission.ok()) submissions.push_back(std::move(submission).value());
  }
  std::vector<Outcome> submitted = parts.archive.retrieves().submit(std::move(submissions));
  std::vector<Outcome> outcomes;
  auto next = submitted.begin();
  for (std::optional<Error>& error : wrong) {
    Outcome outcome = error ? Outcome(std::move(*error)) : std::move(*next++);
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

Result<Reply> submit_many(const ApiParts& parts, const wire::Json& items) {
  if (items.size() > kSubmissionsMax) return invalid("body", "holds more than " + std::to_string(kSubmissionsMax) + " items");
  Answered results = Answered::array();
  bool any = items.empty();
  int first_failure = 0;
  for (const Outcome& outcome : submit_each(parts, items)) {
    any = any || outcome.ok();
    if (outcome.ok()) {
      results.push_back(encode(outcome.value()));
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

Result<Reply> submit(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  if (body.is_array()) return submit_many(parts, body);
  archive::Submission submission = TRY(decode_submission(body, ""));
  const std::vector<Outcome> outcomes = parts.archive.retrieves().submit({std::move(submission)});
  return reply_with(encode(TRY(outcomes.front())), 201);
}

// One that cannot exist is absent.
Result<archive::RequestId> id_in_path(const Request& request) {
  Result<archive::RequestId> id = archive::parse_request_id(request.parameters.at(0));
  if (!id.ok()) return not_found("no such request");
  return id;
}

Result<Reply> get_retrieve(const ApiParts& parts, const Request& request) {
  const archive::RequestId id = TRY(id_in_path(request));
  TRY(no_query(request));
  return reply_with(encode(TRY(parts.archive.retrieves().show(id))));
}

Result<Reply> cancel(const ApiParts& parts, const Request& request) {
  TRY(no_fields(request));
  const archive::RequestId id = TRY(id_in_path(request));
  const archive::Cancelling cancelling = TRY(parts.archive.retrieves().cancel(request.caller.actor(), id));
  return reply_with(encode(cancelling.request), cancelling.how == archive::Cancelled::kFlagged ? 202 : 200);
}

Reply page_reply(const char* name, const archive::RequestPage& page, Answered (*encode_item)(const archive::ShownRequest&)) {
  Answered json;
  json[name] = Answered::array();
  for (const archive::ShownRequest& each : page.requests) json[name].push_back(encode_item(each));
  json["next"] = text_or_null(page.next);
  return reply_with(json);
}

std::optional<archive::RequestState> read_state(QueryReader& query) {
  const std::optional<std::string> text = query.text("state");
  if (!text) return std::nullopt;
  for (const archive::RequestState state : archive::kRequestStates) {
    if (*text == name_of(state)) return state;
  }
  query.fail(invalid("state", "must be queued, transferring, reporting, failed or done"));
  return std::nullopt;
}

template <class Name>
std::optional<Name> read_name(QueryReader& query, const char* key) {
  const std::optional<std::string> text = query.text(key);
  if (!text) return std::nullopt;
  Result<Name> name = archive::parse_name<Name>(*text, key);
  if (name.ok()) return std::move(name).value();
  query.fail(name.error());
  return std::nullopt;
}

Result<Reply> list_retrieves(const ApiParts& parts, const Request& request) {
  QueryReader query(request.call);
  const archive::RequestFilter filter{
      .vid = read_name<archive::Vid>(query, "vid"), .file = read_name<archive::FileId>(query, "file"), .state = read_state(query)};
  const std::string after = query.text("after").value_or("");
  const std::int64_t limit = query.limit();
  TRY(query.finish());
  return page_reply("retrieves", TRY(parts.archive.retrieves().list(filter, after, static_cast<std::size_t>(limit))), encode);
}

Result<Reply> list_failed(const ApiParts& parts, const Request& request) {
  QueryReader query(request.call);
  const std::optional<archive::Vid> vid = read_name<archive::Vid>(query, "vid");
  const std::string after = query.text("after").value_or("");
  const std::int64_t limit = query.limit();
  TRY(query.finish());
  return page_reply("failed", TRY(parts.archive.retrieves().list_failed(vid, after, static_cast<std::size_t>(limit))), encode_failed);
}

Result<Reply> get_failed(const ApiParts& parts, const Request& request) {
  const archive::RequestId id = TRY(id_in_path(request));
  TRY(no_query(request));
  const archive::ShownRequest shown = TRY(parts.archive.retrieves().show(id));
  if (shown.state != archive::RequestState::kFailed || shown.reported)
    return not_found("request " + text_of(id) + " is in no failed queue");
  return reply_with(encode_failed(shown));
}

Result<Reply> retry_failed(const ApiParts& parts, const Request& request) {
  TRY(no_fields(request));
  const archive::RequestId id = TRY(id_in_path(request));
  return reply_with(encode(TRY(parts.archive.retrieves().retry(request.caller.actor(), id))));
}

Result<Reply> remove_failed(const ApiParts& parts, const Request& request) {
  TRY(no_fields(request));
  const archive::RequestId id = TRY(id_in_path(request));
  return reply_with(encode_failed(TRY(parts.archive.retrieves().remove(request.caller.actor(), id))));
}

}  // namespace

void add_retrieve_routes(Routes& routes, const ApiParts& parts) {
  using server::Need;
  const std::string all = "/api/v1/retrieves";
  const std::string one = all + "/{id}";
  routes.add("GET", all, Need::kRead, [&parts](const Request& request) { return list_retrieves(parts, request); });
  routes.add("POST", all, Need::kClient, [&parts](const Request& request) { return submit(parts, request); });
  routes.add("GET", one, Need::kRead, [&parts](const Request& request) { return get_retrieve(parts, request); });
  routes.add("DELETE", one, Need::kClient, [&parts](const Request& request) { return cancel(parts, request); });
  const std::string failed = "/api/v1/failed";
  const std::string one_failed = failed + "/{id}";
  routes.add("GET", failed, Need::kRead, [&parts](const Request& request) { return list_failed(parts, request); });
  routes.add("GET", one_failed, Need::kRead, [&parts](const Request& request) { return get_failed(parts, request); });
  routes.add("POST", one_failed + "/retry", Need::kAdmin, [&parts](const Request& request) { return retry_failed(parts, request); });
  routes.add("DELETE", one_failed, Need::kAdmin, [&parts](const Request& request) { return remove_failed(parts, request); });
}

}  // namespace reclaim::http
