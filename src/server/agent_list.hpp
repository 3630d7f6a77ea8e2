// The agents of the store as people see them: who they are, what they own, and whether they live.
//
// That somebody lives is a judgement of whoever watches (agents/watcher.hpp): this process, where it takes part in the store's life.
// Where it does not, an agent with a beat is `unwatched`. One that has lost its beat is dead for everybody.
// Who may call: any thread. Errors: those of the store.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/census.hpp"
#include "agents/watcher.hpp"
#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::server {

enum class AgentState { kAlive, kSilent, kStuck, kCollected, kUnwatched };
inline constexpr AgentState kAgentStates[] = {AgentState::kAlive, AgentState::kSilent, AgentState::kStuck, AgentState::kCollected,
                                              AgentState::kUnwatched};
std::string_view name_of(AgentState state);  // alive

// What this process saw of the others when it looked last. Itself it knows to live.
struct Watched {
  std::optional<agents::AgentId> self = {};
  std::vector<agents::Judgement> judgements = {};
};

struct ListedAgent {
  agents::Listed listed;
  AgentState state = AgentState::kUnwatched;
  // Since it began the step at hand, as far as this process watched. Nothing: it rests, or nobody watched.
  std::optional<Millis> progress_age = {};
};

// By name and epoch; behind `after`, NAME@EPOCH, unless that is empty. kInvalid: `after`.
Result<std::vector<ListedAgent>> list_agents(ports::ObjectStore& store, const Watched& watched, const std::string& after);

}  // namespace reclaim::server
