// The beats of one agent, and the one place where a process knows that this agent was collected.
//
// Two counters go into its beat object with every beat: `alive` says that the heart's thread runs, `progress` that the working loop
// does. The beat object is made before the agent's and is written by the heart alone; a collector removes it, at the version at which it
// judged the agent dead. So a beat that finds nothing knows that it is over.
//
// Errors of beat(): kFenced: the agent was collected or has left, and every later call says so too; kUnavailable: this beat may be missing,
// the next one is as good. A crash leaves a beat that stands still.
// Who may call: beat() one thread at a time; everything else any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

#include "agents/agent_id.hpp"
#include "agents/refusals.hpp"
#include "base/time.hpp"

namespace reclaim::agents {

class Heart {
 public:
  // `version` is that of the beat object as it was made.
  Heart(ports::ObjectStore& store, AgentId id, ports::Version version) : store_(store), id_(std::move(id)), version_(version) {}

  // Every `--agent-heartbeat`.
  Status beat();
  // The working loop begins a step that may take so long, at most kStepMax: a call to the store, a mount, a chunk of a copy. Nothing: it
  // rests until it is woken, and no progress is expected. Others see it with the next beat.
  void progress(Millis limit);

  bool is_fenced() const { return end_ != End::kNone; }
  // ok while the agent may act as far as this process knows; kFenced.
  Status check() const;
  // The agent gives itself up.
  void fence() { end_as(End::kGivenUp); }
  // The store has shown that others ended it.
  void found_collected() { end_as(End::kCollected); }
  Refusals& refusals() { return refusals_; }
  // What was refused because the agent was collected, the agent itself included; nothing of one that was not.
  LateWrites late() const;
  // Beats no more and removes the beat, after the agent has left. One that stays behind is removed by others.
  void end();

 private:
  enum class End : std::uint8_t { kNone, kGivenUp, kCollected };

  std::string next_beat();
  // The first is final.
  void end_as(End how);

  ports::ObjectStore& store_;
  AgentId id_;
  std::atomic<End> end_ = End::kNone;
  Refusals refusals_;

  // Of the thread that beats.
  std::optional<ports::Version> version_;  // nothing: what is there has to be read
  std::uint64_t alive_ = 0;

  std::mutex mutex_;  // guards what follows
  std::uint64_t progress_ = 0;
  Millis limit_{0};
};

}  // namespace reclaim::agents
