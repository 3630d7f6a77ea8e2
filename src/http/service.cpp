#include "http/service.hpp"

#include "wire/json.hpp"
#include "wire/sync.hpp"

namespace reclaim::http {

const std::string* header_of(const Call& call, std::string_view lower_case_name) {
  const std::string* found = nullptr;
  for (const auto& [name, value] : call.headers) {
    if (name != lower_case_name) continue;
    if (found != nullptr) return nullptr;
    found = &value;
  }
  return found;
}

Reply problem_reply(const Error& error) {
  Reply reply{.status = wire::status_of(error), .body = wire::to_problem(error), .content_type = "application/problem+json"};
  if (reply.status == 503) reply.headers.emplace_back("Retry-After", "1");
  if (reply.status == 401) reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

Reply method_not_allowed_reply(const std::vector<std::string>& allowed) {
  std::string list;
  for (const std::string& method : allowed) list += (list.empty() ? "" : ", ") + method;
  const wire::Json problem = {
      {"type", "urn:reclaim:invalid"}, {"title", "Method not allowed"}, {"status", 405}, {"detail", "this path answers " + list}};
  return {.status = 405, .body = wire::to_text(problem), .content_type = "application/problem+json", .headers = {{"Allow", list}}};
}

}  // namespace reclaim::http
