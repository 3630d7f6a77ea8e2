#include "agents/agent_id.hpp"

#include <charconv>

#include "base/ids.hpp"

namespace reclaim::agents {

Result<AgentId> parse_agent_key(std::string_view key) {
  const std::size_t at = key.find('@');
  if (at != std::string_view::npos && is_well_formed_name(key.substr(0, at))) {
    AgentId id{.name = std::string(key.substr(0, at))};
    const auto [end, error] = std::from_chars(key.data() + at + 1, key.data() + key.size(), id.epoch);
    if (error == std::errc{} && end == key.data() + key.size() && id.epoch > 0 && id.key() == key) return id;
  }
  return invalid("agent", "an agent is NAME@EPOCH: a name [A-Za-z0-9][A-Za-z0-9._-]{0,127} and a number from 1 on, no leading zeros");
}

Result<AgentId> parse_agent(std::string_view object_name) {
  const std::size_t slash = object_name.find('/');
  if (slash == std::string_view::npos || object_name.substr(0, slash) != kAgentKind) {
    return invalid("agent", "the object of an agent is agent/NAME@EPOCH");
  }
  return parse_agent_key(object_name.substr(slash + 1));
}

}  // namespace reclaim::agents
