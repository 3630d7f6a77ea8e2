#include "server/agent_list.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace reclaim::server {
namespace {

AgentState state_of(agents::Life life) {
  switch (life) {
    case agents::Life::kAlive: return AgentState::kAlive;
    case agents::Life::kSilent:
    case agents::Life::kBeatless:
    case agents::Life::kLeftover: return AgentState::kSilent;
    case agents::Life::kStuck: return AgentState::kStuck;
  }
  return AgentState::kUnwatched;
}

std::optional<Millis> progress_age_of(const agents::Judgement& judgement) {
  const bool is_at_work = judgement.seen.beat && judgement.seen.beat->limit > Millis(0);
  return is_at_work ? std::optional(judgement.still_for) : std::nullopt;
}

}  // namespace

std::string_view name_of(AgentState state) {
  switch (state) {
    case AgentState::kAlive: return "alive";
    case AgentState::kSilent: return "silent";
    case AgentState::kStuck: return "stuck";
    case AgentState::kCollected: return "collected";
    case AgentState::kUnwatched: return "unwatched";
  }
  return "";
}

Result<std::vector<ListedAgent>> list_agents(ports::ObjectStore& store, const Watched& watched, const std::string& after) {
  const Result<agents::AgentId> behind = after.empty() ? agents::AgentId() : agents::parse_agent_key(after);
  if (!behind.ok()) return invalid("after", behind.error().message);
  std::set<agents::AgentId> beating;
  for (const agents::Sighting& sighting : TRY(agents::look(store))) {
    if (sighting.beat) beating.insert(sighting.id);
  }
  std::vector<ListedAgent> all;
  for (agents::Listed& listed : TRY(agents::list_agents(store))) {
    ListedAgent agent{.listed = std::move(listed)};
    const agents::AgentId& id = agent.listed.id;
    if (id <= behind.value()) continue;
    const auto judged = std::ranges::find(watched.judgements, id, [](const agents::Judgement& each) { return each.seen.id; });
    if (judged != watched.judgements.end()) {
      agent.state = state_of(judged->life);
      agent.progress_age = progress_age_of(*judged);
    }
    if (id == watched.self) agent.state = AgentState::kAlive;
    if (!beating.contains(id)) agent.state = AgentState::kSilent;
    if (agent.listed.collector) agent.state = AgentState::kCollected;
    all.push_back(std::move(agent));
  }
  std::ranges::sort(all, {}, [](const ListedAgent& agent) { return agent.listed.id; });
  return all;
}

}  // namespace reclaim::server
