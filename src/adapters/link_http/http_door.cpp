#include "adapters/link_http/http_door.hpp"

#include <httplib.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "wire/json.hpp"
#include "wire/sync.hpp"

namespace reclaim::link_http {
namespace {

constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 20;

std::string_view name_of(ports::WorkerCall call) {
  switch (call) {
    case ports::WorkerCall::kHeartbeat: return "heartbeat";
    case ports::WorkerCall::kLand: return "land";
    case ports::WorkerCall::kRetire: return "retire";
    case ports::WorkerCall::kStatus: return "status";
  }
  check(false, "unknown call");
  return {};
}

// Only small ones are read for it: a worker that waits for work has nothing to say. What cannot be read the server refuses.
std::string without_wait(std::string frame) {
  constexpr std::size_t kReadMax = 16 * 1024;
  if (frame.size() > kReadMax) return frame;
  Result<wire::SyncRequest> request = wire::parse_sync_request(frame);
  if (!request.ok() || request.value().wait_ms == 0) return frame;
  request.value().wait_ms = 0;
  return wire::to_json(request.value());
}

bool is_about_token(int status) { return status == 401 || status == 403; }

}  // namespace

// A client for the length of one request; requests at the same time have each their own.
class HttpDoor::Lease {
 public:
  explicit Lease(HttpDoor& door) : door_(door) {
    const std::lock_guard lock(door_.mutex_);
    if (door_.is_stopped_) return;
    if (door_.idle_.empty()) {
      client_ = std::make_unique<httplib::Client>(door_.options_.server);
    } else {
      client_ = std::move(door_.idle_.back());
      door_.idle_.pop_back();
    }
    door_.busy_.push_back(client_.get());
  }
  ~Lease() {
    const std::lock_guard lock(door_.mutex_);
    std::erase(door_.busy_, client_.get());
    if (client_ && !door_.is_stopped_) door_.idle_.push_back(std::move(client_));
    door_.let_surplus_go();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  httplib::Client* get() const { return client_.get(); }  // none once the door is stopped

 private:
  HttpDoor& door_;
  std::unique_ptr<httplib::Client> client_;
};

HttpDoor::HttpDoor(HttpDoorOptions options, Start start) : options_(std::move(options)), start_(std::move(start)) {}

HttpDoor::~HttpDoor() = default;

// A connection that waits for work is a descriptor that nobody else can have.
void HttpDoor::let_surplus_go() {
  const std::size_t connections_max = options_.syncs_max();
  while (!idle_.empty() && idle_.size() + busy_.size() > connections_max) idle_.pop_back();
}

void HttpDoor::stop() {
  const std::lock_guard lock(mutex_);
  is_stopped_ = true;
  for (httplib::Client* client : busy_) client->stop();
}

Result<HttpDoor::Reply> HttpDoor::post(std::string_view what, const std::string& key, std::string body, Millis timeout) {
  const Lease lease(*this);
  if (lease.get() == nullptr) return unavailable("the gateway stops");
  lease.get()->set_keep_alive(true);
  lease.get()->set_tcp_nodelay(true);
  lease.get()->set_connection_timeout(options_.connect_timeout);
  lease.get()->set_write_timeout(options_.call_timeout);
  lease.get()->set_read_timeout(timeout);
  httplib::Request request;
  request.method = "POST";
  request.path = "/api/v1/gateway/" + std::string(what);
  request.headers.emplace("Authorization", "Bearer " + options_.token);
  if (!key.empty()) request.headers.emplace("Reclaim-Key", key);
  if (!body.empty()) request.headers.emplace("Content-Type", "application/json");
  request.body = std::move(body);
  Reply reply;
  request.content_receiver = [&](const char* bytes, std::size_t length, std::uint64_t, std::uint64_t) {
    const bool fits = reply.body.size() + length <= kAnswerBytesMax;
    if (fits) reply.body.append(bytes, length);
    return fits;
  };
  const httplib::Result result = lease.get()->send(request);
  if (!result) return unavailable("no answer from the server (" + httplib::to_string(result.error()) + "); it may have happened or not");
  reply.status = result->status;
  return reply;
}

Result<std::string> HttpDoor::ask(std::string_view what, const std::string& key, std::string body, Millis timeout) {
  Reply reply = TRY(post(what, key, std::move(body), timeout));
  if (reply.status >= 200 && reply.status < 300) return std::move(reply.body);
  if (is_about_token(reply.status) && !check_token().ok()) return unavailable("the server refuses the gateway's token");
  return wire::parse_problem(reply.status, reply.body);
}

// A question without a key is answered 422, but only to who may ask.
Status HttpDoor::check_token() {
  const Reply reply = TRY(post("whois", "", "", options_.call_timeout));
  if (is_about_token(reply.status)) return forbidden("the server refuses the token; it needs one of role gateway");
  if (reply.status != 422) return unavailable("the server answers " + std::to_string(reply.status));
  return done();
}

Result<WorkerName> HttpDoor::worker_of(const std::string& key) {
  const std::string body = TRY(ask("whois", key, "", options_.call_timeout));
  const wire::Json json = TRY(wire::parse_json(body));
  if (!json.is_object()) return corrupt("the server's answer is no object");
  wire::ObjectReader reader(json, "");
  const std::string name = reader.required_text("worker");
  if (!reader.ok()) return corrupt("the server's answer names no worker");
  return parse_worker_name(name, "worker");
}

void HttpDoor::sync(const std::string& key, std::string frame, Answer answer) {
  const std::size_t under_way = ++syncs_;
  const std::size_t syncs_max = options_.syncs_max();
  if (under_way > syncs_max / 2) frame = without_wait(std::move(frame));
  auto shared_frame = std::make_shared<std::string>(std::move(frame));
  const auto pass_on = [this, key, shared_frame, answer] {
    Result<std::string> answered = ask("sync", key, std::move(*shared_frame), options_.sync_timeout);
    --syncs_;
    answer(std::move(answered));
  };
  if (under_way <= syncs_max && start_(pass_on)) return;
  --syncs_;
  answer(unavailable("the gateway has as many syncs under way as it may; try again later"));
}

Result<std::string> HttpDoor::call(const std::string& key, ports::WorkerCall call) {
  return ask(name_of(call), key, "", options_.call_timeout);
}

}  // namespace reclaim::link_http
