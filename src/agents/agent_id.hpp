// Who an agent is: a name and an epoch. No two agents of a store ever have the same epoch; one that registers again is another agent.
//
// In the store an agent is the object `agent/<name>@<epoch>`, and so it stands in the owner fields of other objects.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::agents {

inline constexpr std::string_view kAgentKind = "agent";
inline constexpr std::string_view kBeatKind = "beat";

struct AgentId {
  std::string name;  // [A-Za-z0-9][A-Za-z0-9._-]{0,127}
  std::uint64_t epoch = 0;

  std::string key() const { return name + '@' + std::to_string(epoch); }
  ports::ObjectName object() const { return {std::string(kAgentKind), key()}; }
  ports::ObjectName beat() const { return {std::string(kBeatKind), key()}; }
  std::string str() const { return object().str(); }
  auto operator<=>(const AgentId&) const = default;
};

// `drive-1@17`, exactly as key() writes it. kInvalid.
Result<AgentId> parse_agent_key(std::string_view key);
// `agent/drive-1@17`. kInvalid.
Result<AgentId> parse_agent(std::string_view object_name);

}  // namespace reclaim::agents
