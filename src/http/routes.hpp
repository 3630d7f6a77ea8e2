// What the routes are made of: one table entry each, in routes_*.cpp, next to how its body is read and its answer written.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/context.hpp"
#include "fleet/resources.hpp"
#include "http/api.hpp"
#include "http/encode.hpp"
#include "http/query_reader.hpp"
#include "http/service.hpp"
#include "server/access.hpp"
#include "wire/json.hpp"

namespace reclaim::http {

struct Request {
  Call call;
  std::vector<std::string> parameters;  // of the path
  server::Caller caller;                // empty where the route needs no token
};

using Handler = std::function<Result<Reply>(const Request&)>;
using Answer = std::function<void(Reply)>;
using LateHandler = std::function<void(Request, Answer)>;  // answers now or later

// Nullopt: for anybody, without a token.
using Access = std::optional<server::Need>;
inline constexpr Access kAnybody = std::nullopt;

struct Route {
  std::string_view method;
  std::string pattern;
  Access access;
  LateHandler handler;
};

class Routes {
 public:
  void add(std::string_view method, std::string pattern, Access access, Handler handler) {
    add_late(method, std::move(pattern), access, [handler = std::move(handler)](const Request& request, const Answer& answer) {
      Result<Reply> reply = handler(request);
      answer(reply.ok() ? std::move(reply).value() : problem_reply(reply.error()));
    });
  }
  void add_late(std::string_view method, std::string pattern, Access access, LateHandler handler) {
    routes_.push_back({method, std::move(pattern), access, std::move(handler)});
  }
  const std::vector<Route>& all() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

void add_worker_routes(Routes& routes, const ApiParts& parts);
void add_owner_routes(Routes& routes, const ApiParts& parts);
void add_resource_routes(Routes& routes, const ApiParts& parts);
void add_sync_routes(Routes& routes, const ApiParts& parts);
void add_gateway_routes(Routes& routes, const ApiParts& parts);
void add_lineage_routes(Routes& routes, const ApiParts& parts);
void add_maintenance_routes(Routes& routes, const ApiParts& parts);
void add_operation_routes(Routes& routes, const ApiParts& parts);
void add_event_routes(Routes& routes, const ApiParts& parts);
void add_tape_routes(Routes& routes, const ApiParts& parts);
void add_file_routes(Routes& routes, const ApiParts& parts);
void add_policy_routes(Routes& routes, const ApiParts& parts);
void add_retrieve_routes(Routes& routes, const ApiParts& parts);
void add_queue_routes(Routes& routes, const ApiParts& parts);
void add_drive_routes(Routes& routes, const ApiParts& parts);
void add_agent_routes(Routes& routes, const ApiParts& parts);
void add_token_routes(Routes& routes, const ApiParts& parts);
void add_open_routes(Routes& routes, const ApiParts& parts);

// Helpers of the handlers.

fleet::Context context_of(const ApiParts& parts, const Request& request);
// The body as JSON; an empty one is an empty object.
Result<wire::Json> body_of(const Request& request);
// Refuses a body with fields, or a query, for calls that take none.
Status no_fields(const Request& request);
Status no_query(const Request& request);

Reply reply_with(const Answered& json, int status = 200);

// Names in a path. A name that cannot exist is absent (404).
Result<WorkerName> worker_in_path(const Request& request, std::size_t index = 0);
Result<OwnerId> owner_in_path(const Request& request);

// `{"workers":[...],"next":...}` of items of which one more than `limit` was asked for: `next` is the key of the last one shown, null
// when there is no more.
template <class Item, class Encode, class Key>
Reply list_reply(const char* name, std::vector<Item> items, std::int64_t limit, Encode encode_item, Key key_of) {
  const bool more = items.size() > static_cast<std::size_t>(limit);
  if (more) items.pop_back();
  Answered list = Answered::array();
  for (const Item& item : items) list.push_back(encode_item(item));
  Answered json;
  json[name] = std::move(list);
  json["next"] = more ? Answered(key_of(items.back())) : Answered();
  return reply_with(json);
}

}  // namespace reclaim::http
