// The agents of a store, found by listing them: a look at their beats for the watcher, and their objects for people.
//
// An agent that was there throughout is found; one that came or went meanwhile may be. Names that are no agent's are left out: the store
// checker tells of those.
// Errors: kUnavailable: any part of it could not be read; nothing is known then.
// Who may call: any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agents/agent_id.hpp"
#include "agents/watcher.hpp"

namespace reclaim::agents {

// A beat that cannot be read stands still at nothing: a living heart overwrites it.
Result<std::vector<Sighting>> look(ports::ObjectStore& store);

struct Listed {
  AgentId id;
  std::string kind;
  std::vector<ports::ObjectName> owned;
  std::optional<AgentId> collector;  // it was collected by this one, which has not finished
  std::string unreadable = {};       // why, if so; then nothing but the id is known
};
Result<std::vector<Listed>> list_agents(ports::ObjectStore& store);

}  // namespace reclaim::agents
