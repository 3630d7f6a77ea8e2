// Syncs: a worker by its name, for an admin or the gateway; and the gateway's calls on behalf of a key.
#include "fleet/workers.hpp"
#include "http/routes.hpp"
#include "wire/sync.hpp"

namespace reclaim::http {
namespace {

constexpr const char* kKeyHeader = "reclaim-key";

// Counts the bytes of both bodies, and answers.
server::ControlPlane::SyncAnswered sync_answer(const ApiParts& parts, const Request& request, Answer answer) {
  parts.metrics.add(Metric::kSyncBytesTotal, {"in"}, static_cast<double>(request.call.body.size()));
  return [&metrics = parts.metrics, answer = std::move(answer)](Result<wire::SyncAnswer> answered) {
    Reply reply = answered.ok() ? Reply{.body = wire::to_json(answered.value())} : problem_reply(answered.error());
    metrics.add(Metric::kSyncBytesTotal, {"out"}, static_cast<double>(reply.body.size()));
    answer(std::move(reply));
  };
}

// 404 of the path comes before 422 of the body, and after 400.
Error first_of(const ApiParts& parts, const Request& request, Error wrong) {
  if (wrong.kind == Error::Kind::kUnparsable) return wrong;
  const Result<WorkerName> name = worker_in_path(request);
  if (!name.ok()) return name.error();
  const Result<fleet::Worker> worker = fleet::find_worker(context_of(parts, request), name.value());
  return worker.ok() ? wrong : worker.error();
}

void sync_by_name(const ApiParts& parts, const Request& request, Answer answer) {
  const Result<wire::SyncRequest> sync = wire::parse_sync_request(request.call.body);
  if (!sync.ok()) return answer(problem_reply(first_of(parts, request, sync.error())));
  const Result<WorkerName> name = worker_in_path(request);
  if (!name.ok()) return answer(problem_reply(name.error()));
  parts.plane.sync(request.caller.actor(), {.key = "", .worker = name.value().str()}, sync.value(),
                   sync_answer(parts, request, std::move(answer)));
}

// The key that a session of the gateway was authenticated with, never what a payload says.
Result<std::string> key_of(const Request& request) {
  const std::string* key = header_of(request.call, kKeyHeader);
  if (key == nullptr) return invalid("Reclaim-Key", "this header is required, once: the worker's public key");
  return fleet::canonical_key(*key, "Reclaim-Key");
}

void sync_by_key(const ApiParts& parts, const Request& request, Answer answer) {
  const Result<wire::SyncRequest> sync = wire::parse_sync_request(request.call.body);
  if (!sync.ok()) return answer(problem_reply(sync.error()));
  const Result<std::string> key = key_of(request);
  if (!key.ok()) return answer(problem_reply(key.error()));
  parts.plane.sync(request.caller.actor(), {.key = key.value(), .worker = ""}, sync.value(),
                   sync_answer(parts, request, std::move(answer)));
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
                  [&parts](const Request& request, Answer answer) { sync_by_name(parts, request, std::move(answer)); });
}

void add_gateway_routes(Routes& routes, const ApiParts& parts) {
  const std::string gateway = "/api/v1/gateway/";
  routes.add_late("POST", gateway + "sync", server::Need::kGateway,
                  [&parts](const Request& request, Answer answer) { sync_by_key(parts, request, std::move(answer)); });
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
