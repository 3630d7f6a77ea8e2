// One role of a process in the store: its agent, registered when it is first needed and again after it was collected, and the work that
// is done under it.
//
// Whatever is made for one registration (a Hand, a Takeover) is dropped with it: after kFenced the next join() begins anew, with nothing
// remembered. Beating is apart, so that long work does not look like death.
//
// Who may call: join() and leave() one thread at a time; beat() any thread, at any time. Nothing here starts one: the app beats every
// `--agent-heartbeat`. A crash leaves the agent to its collector.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "agents/agent.hpp"

namespace reclaim::agents {

class Membership {
 public:
  // As Agent::register_as.
  Membership(ports::ObjectStore& store, std::string name, std::string kind)
      : store_(store), name_(std::move(name)), kind_(std::move(kind)) {}

  // The agent, registered if there is none or it was collected. `is_new` says that everything of a former one must be dropped; `late` is
  // what the former was refused, told once.
  struct Joined {
    std::shared_ptr<Agent> agent;
    bool is_new = false;
    LateWrites late = {};
  };
  Result<Joined> join();

  // Errors are those of Heart::beat(); ok without an agent.
  Status beat();
  // The graceful end: kConflict while something is owned. ok without an agent.
  Status leave();

 private:
  std::shared_ptr<Agent> current();

  ports::ObjectStore& store_;
  const std::string name_;
  const std::string kind_;
  std::mutex mutex_;  // of the pointer, not of the agent
  std::shared_ptr<Agent> agent_;
};

}  // namespace reclaim::agents
