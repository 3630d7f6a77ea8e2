// The objects of this room as bytes and back: the root, agents, beats.
//
// What is read is checked whole; what does not fit is kCorrupt with the reason, and nothing of it is used. Fields that a newer Reclaim
// added stay in the message and are written back with it.
// Who may call: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agents/agent_id.hpp"
#include "agents/agents.pb.h"
#include "base/time.hpp"

namespace reclaim::agents {

inline constexpr std::uint32_t kStoreFormat = 1;      // of the store as a whole; a Reclaim leaves a newer one alone
inline constexpr std::size_t kOwnedMax = 10'000;      // names in one agent's list
inline constexpr Millis kStepMax{24 * 3600 * 1000L};  // the longest limit that a step may declare

ports::ObjectName root_name();

Result<stored::Root> decode_root(std::string_view bytes);
Result<stored::Agent> decode_agent(const AgentId& id, std::string_view bytes);
Result<stored::Beat> decode_beat(const AgentId& id, std::string_view bytes);

std::string encode(const stored::Root& root);
std::string encode(const AgentId& id, const stored::Agent& agent);
std::string encode(const AgentId& id, const stored::Beat& beat);

// The list of an agent that was decoded here, ascending.
std::vector<ports::ObjectName> owned_by(const stored::Agent& agent);
// Puts `names`, which ascend and occur once each, into the agent's list.
template <class Names>
void set_owned(stored::Agent& agent, const Names& names) {
  agent.clear_owned();
  for (const ports::ObjectName& name : names) agent.add_owned(name.str());
}

// For who looks at the store from outside: the list in the bytes found under `agent/...`. kInvalid: not the name of an agent.
Result<std::vector<ports::ObjectName>> owned_names(const ports::ObjectName& object, std::string_view bytes);

}  // namespace reclaim::agents
