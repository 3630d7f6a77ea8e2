// Syncs: a worker by its name, for an admin or the gateway; and the gateway's calls on behalf of a key.
#include "fleet/workers.hpp"
#include "http/routes.hpp"
#include "wire/sync.hpp"

namespace reclaim::http {
namespace {

constexpr const char* kKeyHeader = "reclaim-key";

// 404 of the path comes before 422 of the body, and after 400.
Error first_of(const ApiParts& parts, const Request& request, Error wrong) {
  if (wrong.kind != Error::Kind::kInvalid) return wrong;
  const Result<WorkerName> name = worker_in_path(request);
  if (!name.ok()) return name.error();
  const Result<fleet::Worker> worker = fleet::find_worker(context_of(parts, request), name.value());
  return worker.ok() ? wrong : worker.error();
}

Reply reply_to_sync(Result<std::string> answered) {
  return answered.ok() ? Reply{.body = std::move(answered).value()} : problem_reply(answered.error());
}

// Who has no name or key to sync for is told what is wrong with the body first.
Error after_body(const Request& request, const Error& wrong) {
  const Result<wire::SyncRequest> sync = wire::parse_sync_request(request.call.body);
  return sync.ok() || (sync.error().kind == Error::Kind::kInvalid && wrong.kind == Error::Kind::kNotFound) ? wrong : sync.error();
}

void sync_by_name(const ApiParts& parts, Request request, const Answer& answer) {
  const Result<WorkerName> name = worker_in_path(request);
  if (!name.ok()) return answer(problem_reply(after_body(request, name.error())));
  std::string body = std::move(request.call.body);
  const std::string actor = request.caller.actor();
  parts.syncs.take(actor, {.key = "", .worker = name.value().str()}, std::move(body),
                   [&parts, asked = std::move(request), answer](Result<std::string> answered) {
                     if (!answered.ok()) answered = first_of(parts, asked, answered.error());
                     answer(reply_to_sync(std::move(answered)));
                   });
}

// The key that a session of the gateway was authenticated with, never what a payload says.
Result<std::string> key_of(const Request& request) {
  const std::string* key = header_of(request.call, kKeyHeader);
  if (key == nullptr) return invalid("Reclaim-Key", "this header is required, once: the worker's public key");
  return fleet::canonical_key(*key, "Reclaim-Key");
}

void sync_by_key(const ApiParts& parts, Request request, const Answer& answer) {
  const Result<std::string> key = key_of(request);
  if (!key.ok()) return answer(problem_reply(after_body(request, key.error())));
  parts.syncs.take(request.caller.actor(), {.key = key.value(), .worker = ""}, std::move(request.call.body),
                   [answer](Result<std::string> answered) { answer(reply_to_sync(std::move(answered))); });
}

Result<Reply> whois(const ApiParts& parts, const Request& request) {
  TRY(no_fields(request));
  const std::string key = TRY(key_of(request));
  Answered json;
  json["worker"] = TRY(fleet::worker_of_key(parts.plane.database(), key)).str();
  return reply_with(json);
}

Result<Reply> call_by_key(const ApiParts& parts, const Request& request, ports::WorkerCall call) {
  TRY(no_fields(request));
  const std::string key = TRY(key_of(request));
  return reply_with(encode(TRY(parts.plane.call(key, call))));
}

}  // namespace

void add_sync_routes(Routes& routes, const ApiParts& parts) {
  routes.add_late("POST", "/api/v1/workers/{w}/sync", server::Need::kGateway,
                  [&parts](Request request, const Answer& answer) { sync_by_name(parts, std::move(request), answer); });
}

void add_gateway_routes(Routes& routes, const ApiParts& parts) {
  const std::string gateway = "/api/v1/gateway/";
  routes.add_late("POST", gateway + "sync", server::Need::kGateway,
                  [&parts](Request request, const Answer& answer) { sync_by_key(parts, std::move(request), answer); });
  routes.add("POST", gateway + "whois", server::Need::kGateway, [&parts](const Request& request) { return whois(parts, request); });
  const auto add_call = [&](const std::string& verb, ports::WorkerCall call) {
    routes.add("POST", gateway + verb, server::Need::kGateway,
               [&parts, call](const Request& request) { return call_by_key(parts, request, call); });
  };
  add_call("heartbeat", ports::WorkerCall::kHeartbeat);
  add_call("land", ports::WorkerCall::kLand);
  add_call("retire", ports::WorkerCall::kRetire);
  add_call("status", ports::WorkerCall::kStatus);
}

}  // namespace reclaim::http
