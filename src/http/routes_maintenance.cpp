// The archive's passes, here and now.
#include "http/routes.hpp"
#include "server/archive_plane.hpp"

namespace reclaim::http {
namespace {

constexpr std::size_t kPassesMax = 8;
constexpr std::size_t kNameLengthMax = 128;

Answered json_of(const server::PassRun& run) {
  Answered json;
  json["pass"] = run.pass;
  for (const auto& [what, count] : run.counts) json[std::string(what)] = count;
  json["late"] = Answered::object();
  for (const auto& [what, count] : run.late) json["late"][what] = count;
  json["more"] = run.more;
  json["problems"] = run.problems;
  json["error"] = run.error.empty() ? Answered() : Answered(run.error);
  return json;
}

Result<Reply> run_maintenance(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  wire::ObjectReader reader(body, "");
  const std::vector<std::string> passes = reader.texts("passes", kPassesMax, kNameLengthMax);
  TRY(reader.finish());
  Answered json;
  json["passes"] = Answered::array();
  for (const server::PassRun& run : TRY(parts.archive.maintenance().run_now(passes, request.caller.actor()))) {
    json["passes"].push_back(json_of(run));
  }
  return reply_with(json);
}

}  // namespace

void add_maintenance_routes(Routes& routes, const ApiParts& parts) {
  routes.add("POST", "/api/v1/maintenance/run", server::Need::kAdmin,
             [&parts](const Request& request) { return run_maintenance(parts, request); });
}

}  // namespace reclaim::http
