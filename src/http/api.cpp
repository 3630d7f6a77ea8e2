#include "http/api.hpp"

#include "http/paths.hpp"
#include "http/routes.hpp"

namespace reclaim::http {
namespace {

constexpr std::size_t kStrangersBodyMax = 64 * 1024;  // read for one who has no token, to say what is wrong with it

Error no_token() { return unauthenticated("send a token: `Authorization: Bearer TOKEN`"); }

// A body that nobody can read comes before a token that is not there.
Error refusal(const Call& call, Error error) {
  if (call.body.empty() || call.body.size() > kStrangersBodyMax) return error;
  const Result<wire::Json> body = wire::parse_json(call.body);
  return body.ok() ? error : body.error();
}

}  // namespace

class Api::Impl {
 public:
  explicit Impl(ApiParts parts) : parts_(std::move(parts)) {
    add_open_routes(routes_, parts_);
    add_worker_routes(routes_, parts_);
    add_lineage_routes(routes_, parts_);
    add_owner_routes(routes_, parts_);
    add_resource_routes(routes_, parts_);
    add_sync_routes(routes_, parts_);
    add_gateway_routes(routes_, parts_);
    add_maintenance_routes(routes_, parts_);
    add_operation_routes(routes_, parts_);
    add_event_routes(routes_, parts_);
    add_tape_routes(routes_, parts_);
    add_file_routes(routes_, parts_);
    add_policy_routes(routes_, parts_);
    add_retrieve_routes(routes_, parts_);
    add_queue_routes(routes_, parts_);
    add_drive_routes(routes_, parts_);
    add_agent_routes(routes_, parts_);
    add_token_routes(routes_, parts_);
    for (const Route& route : routes_.all()) paths_.add(route.method, route.pattern);
  }

  void handle(Call call, Answer answer) const {
    Found found = paths_.find(call.method, call.segments);
    const Route* route = found.route < 0 ? nullptr : &routes_.all()[static_cast<std::size_t>(found.route)];
    const bool is_open = route == nullptr ? call.segments.front() != "api" : !route->access;
    Request request{.call = std::move(call), .parameters = std::move(found.parameters), .caller = {}};
    if (!is_open) {
      Result<server::Caller> caller = authenticate(request.call, route);
      if (!caller.ok()) return answer(problem_reply(refusal(request.call, caller.error())));
      request.caller = std::move(caller).value();
    }
    if (route != nullptr) return route->handler(std::move(request), std::move(answer));
    answer(found.path_known ? method_not_allowed_reply(found.allowed) : problem_reply(not_found("no such path")));
  }

 private:
  Result<server::Caller> authenticate(const Call& call, const Route* route) const {
    const std::string* bearer = header_of(call, "authorization");
    if (bearer == nullptr) return no_token();
    server::Caller caller = TRY(server::authenticate(parts_.plane.database(), *bearer));
    if (route != nullptr) TRY(server::authorise(caller, *route->access));
    return caller;
  }

  ApiParts parts_;
  Routes routes_;
  Paths paths_;
};

Api::Api(ApiParts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}
Api::~Api() = default;

void Api::handle(Call call, std::function<void(Reply)> answer) { impl_->handle(std::move(call), std::move(answer)); }

}  // namespace reclaim::http
