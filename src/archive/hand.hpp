// What a process of the archive works with: the store, the agent that owns what is in its hands, and names that nobody ever had.
//
// Whatever is taken, moved or made is held first: its name is on the agent's list before it can belong to the agent, so that a crash
// leaves nothing that nobody looks for. Names of what was made are drawn here, `<epoch>-<number>`: no two agents of a store have the same
// epoch, so a creation that arrives late meets nothing of anybody's.
//
// Who may call: the agent's working thread. One Hand for each registration of an agent. Errors: the agent's (agent.hpp).
#pragma once

#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "agents/agent.hpp"
#include "archive/names.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

class Hand {
 public:
  Hand(ports::ObjectStore& store, agents::Agent& agent) : store_(store, agent.heart().refusals()), agent_(agent) {}

  // What it refuses is noted, for who was collected (agents/refusals.hpp).
  ports::ObjectStore& store() { return store_; }
  const agents::AgentId& id() const { return agent_.id(); }
  Owner owner() const { return agent_.id(); }

  SegmentId fresh() { return {.epoch = agent_.id().epoch, .number = ++drawn_}; }

  // One write to the store, whatever is held already: an accepted one proves that the agent was not collected (agents/agent.hpp). What is
  // to be taken at a version has been read before.
  Status hold(const std::vector<ports::ObjectName>& names) { return agent_.own(names); }
  // What is on the agent's list.
  const std::set<ports::ObjectName>& held() const { return agent_.owned(); }
  // What does not name the agent as its owner any more, and towards which no write of unknown outcome is under way.
  void let_go(const std::vector<ports::ObjectName>& names) { agent_.release(names); }
  // When the work comes to rest: writes what was let go.
  Status rest() { return agent_.flush(); }
  // ok while the agent may act; kFenced.
  Status check() { return agent_.heart().check(); }
  // What was to be written was found to be somebody else's: as if the write had been refused.
  void lost(const ports::ObjectName& name, std::string_view what) { agent_.heart().refusals().refused(name, what); }
  // The step at hand may take so long (agents/heart.hpp).
  void progress(Millis limit) { agent_.heart().progress(limit); }

 private:
  agents::NotingStore store_;
  agents::Agent& agent_;
  std::uint64_t drawn_ = 0;
};

}  // namespace reclaim::archive
