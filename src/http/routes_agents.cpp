// Agents: the processes that own objects of the archive's store.
#include <algorithm>

#include "http/routes.hpp"
#include "server/archive_plane.hpp"

namespace reclaim::http {
namespace {

Answered encode(const server::ListedAgent& agent) {
  const agents::Listed& listed = agent.listed;
  Answered json;
  json["name"] = listed.id.name;
  json["kind"] = listed.kind;
  json["epoch"] = listed.id.epoch;
  json["progress_age_s"] = agent.progress_age ? Answered(agent.progress_age->count() / 1000) : Answered();
  json["owned"] = listed.owned.size();
  json["state"] = name_of(agent.state);
  json["collector"] = listed.collector ? Answered(listed.collector->key()) : Answered();
  json["problem"] = listed.unreadable.empty() ? Answered() : Answered(listed.unreadable);
  return json;
}

Result<Reply> list_agents(const ApiParts& parts, const Request& request) {
  QueryReader query(request.call);
  const std::string after = query.text("after").value_or("");
  const std::int64_t limit = query.limit();
  TRY(query.finish());
  std::vector<server::ListedAgent> agents = TRY(parts.archive.list_agents(after));
  agents.erase(agents.begin() + std::min(std::ssize(agents), static_cast<std::ptrdiff_t>(limit) + 1), agents.end());
  return list_reply(
      "agents", std::move(agents), limit, [](const server::ListedAgent& agent) { return encode(agent); },
      [](const server::ListedAgent& agent) { return agent.listed.id.key(); });
}

// NAME@EPOCH; or NAME, which is the youngest of that name.
Result<Reply> get_agent(const ApiParts& parts, const Request& request) {
  const std::string& asked = request.parameters.at(0);
  TRY(no_query(request));
  const server::ListedAgent* found = nullptr;
  const std::vector<server::ListedAgent> agents = TRY(parts.archive.list_agents());
  for (const server::ListedAgent& agent : agents) {
    if (agent.listed.id.key() == asked || agent.listed.id.name == asked) found = &agent;
  }
  if (found == nullptr) return not_found("no agent " + asked);
  Answered json = encode(*found);
  json["objects"] = Answered::array();
  for (const ports::ObjectName& name : found->listed.owned) json["objects"].push_back(name.str());
  return reply_with(json);
}

}  // namespace

void add_agent_routes(Routes& routes, const ApiParts& parts) {
  const std::string all = "/api/v1/agents";
  routes.add("GET", all, server::Need::kRead, [&parts](const Request& request) { return list_agents(parts, request); });
  routes.add("GET", all + "/{agent}", server::Need::kRead, [&parts](const Request& request) { return get_agent(parts, request); });
}

}  // namespace reclaim::http
