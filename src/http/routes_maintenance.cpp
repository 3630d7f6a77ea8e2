// The archive's passes, here and now.
#include "http/routes.hpp"
#include "server/archive_plane.hpp"

namespace reclaim::http {
namespace {

constexpr std::size_t kPassesMax = 8;
constexpr std::size_t kNameLengthMax = 128;

Answered json_of(const archive::CleanupReport& report) {
  Answered json;
  json["pass"] = server::kCleanup;
  json["finished"] = report.finished;
  json["waiting"] = report.waiting;
  json["problems"] = report.problems;
  return json;
}

Result<Reply> run_maintenance(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  wire::ObjectReader reader(body, "");
  for (const std::string& pass : reader.texts("passes", kPassesMax, kNameLengthMax)) {
    if (pass != server::kCleanup)
      reader.fail(invalid("passes", "there is no pass " + pass + "; there is " + std::string(server::kCleanup)));
  }
  TRY(reader.finish());
  Answered json;
  json["passes"] = Answered::array({json_of(TRY(parts.archive.run_cleanup(request.caller.actor())))});
  return reply_with(json);
}

}  // namespace

void add_maintenance_routes(Routes& routes, const ApiParts& parts) {
  routes.add("POST", "/api/v1/maintenance/run", server::Need::kAdmin,
             [&parts](const Request& request) { return run_maintenance(parts, request); });
}

}  // namespace reclaim::http
