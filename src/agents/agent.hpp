// A process that owns objects, as the store knows it: registered under an epoch, with an exact list of what it owns.
//
// What callers do, in this order:
//  * take:    read the object, own() its name, replace it at the version read before own(). The order matters: a collector rewrites
//             whatever is on the list, so a version read before is refused from then on, and one read after would not be.
//  * write:   at the version at which one took or last wrote it. Refused, it is read again: if it still names this agent, somebody gave it
//             a new version and nothing else (a collector of one that had recorded it too), and one goes on from there; if not, it is lost.
//  * create:  own() its name, create it. The name must be one that no other agent ever creates, or one whose late creation by a dead
//             agent is noticed otherwise (takeover.hpp).
//  * doubt:   a write that was kUnavailable may still arrive. Before its name is released, it is repeated at the same version until it is
//             answered: done, or refused; or it arrives when nobody expects it, and the object is owned by an agent that does not know.
//  * give up: let the object name another owner, or remove it; then release() its name.
//
// What callers may rely on
//  * When own() has returned ok, every name was on the list at a moment after the call began, and the agent not collected then.
//  * When own() has failed, nothing was owned: create and take nothing. The list may hold the names for a while nevertheless.
//  * The list holds what is owned, and until the next own() or flush() what was released; it never grows with history.
//  * Once collected, every call answers kFenced and changes nothing. The process stops what it was doing and registers again.
//
// Errors: kFenced; kUnavailable: whether the list changed is not known, the next call finds out; kTooLarge: more than kOwnedMax;
// kConflict from leave(): something is owned; kCorrupt: the agent's own object cannot be read, tell a person.
// A crash leaves the list and a beat that stands still; another agent collects them.
// Who may call: one thread at a time, the working thread; the heart has rules of its own.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "agents/agent_id.hpp"
#include "agents/agents.pb.h"
#include "agents/heart.hpp"

namespace reclaim::agents {

class Agent {
 public:
  // Draws an epoch and makes the beat and the agent's object. `kind` is what people see: `drive`, `maintenance`. kInvalid: a name or kind
  // that is not well formed. After kUnavailable a dead agent may be left, which owns nothing and is collected: register again.
  static Result<std::unique_ptr<Agent>> register_as(ports::ObjectStore& store, const std::string& name, const std::string& kind);

  const AgentId& id() const { return id_; }
  Heart& heart() { return heart_; }
  const std::set<ports::ObjectName>& owned() const { return owned_; }

  // One write for all of them, and for what was released since the last.
  Status own(std::span<const ports::ObjectName> names);
  // No call to the store. Whatever is released must not name this agent as its owner any more.
  void release(std::span<const ports::ObjectName> names);
  // Writes the list if it holds what is not owned any more. To be called when the working loop comes to rest.
  Status flush();
  // The graceful end, when nothing is owned: the agent is gone from the store and nobody has to collect it. May be called again after
  // kUnavailable.
  Status leave();

 private:
  Agent(ports::ObjectStore& store, AgentId id, stored::Agent record, ports::Version version, ports::Version beat);

  Status write(const std::set<ports::ObjectName>& wanted);
  Status remove();
  Status read_again();
  Status fence();
  Error given_up() const;
  bool is_listed(const std::set<ports::ObjectName>& wanted) const { return version_.has_value() && listed_ == wanted; }

  ports::ObjectStore& store_;
  const AgentId id_;
  Heart heart_;
  std::set<ports::ObjectName> owned_;
  stored::Agent record_;
  std::set<ports::ObjectName> listed_;     // what the object at version_ lists
  std::optional<ports::Version> version_;  // nothing: a write's answer was lost, what is there has to be read
};

}  // namespace reclaim::agents
