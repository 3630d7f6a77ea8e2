// The life of a resource and of a worker, as tables. docs/architecture.md prints the same tables.
#pragma once

#include <optional>
#include <string_view>

#include "base/transitions.hpp"

namespace reclaim::fleet {

// kGone is the absence of a row.
enum class ResourceState { kCreating, kCreated, kFailed, kDestroying, kGone };
enum class ResourceEvent {
  kCreated,    // its creator says it is there
  kFailed,     // its creator says it could not be made, or the creating deadline passed
  kCollect,    // a collector marks it: a failed create may have left something behind
  kOrphaned,   // nobody needs it any more
  kDestroy,    // somebody with the right asked for it by name
  kConfirmed,  // the worker acknowledged its end, or an inventory that covers the mark lacks it
  kLost,       // missing beyond the grace
};

inline constexpr ResourceState kResourceStates[] = {ResourceState::kCreating, ResourceState::kCreated, ResourceState::kFailed,
                                                    ResourceState::kDestroying, ResourceState::kGone};

using ResourceTransition = Transition<ResourceState, ResourceEvent>;
inline constexpr ResourceTransition kResourceTransitions[] = {
    {ResourceState::kCreating, ResourceEvent::kCreated, ResourceState::kCreated},
    {ResourceState::kCreating, ResourceEvent::kFailed, ResourceState::kFailed},
    {ResourceState::kFailed, ResourceEvent::kCollect, ResourceState::kDestroying},
    {ResourceState::kCreated, ResourceEvent::kOrphaned, ResourceState::kDestroying},
    {ResourceState::kCreated, ResourceEvent::kDestroy, ResourceState::kDestroying},
    {ResourceState::kCreated, ResourceEvent::kLost, ResourceState::kGone},
    {ResourceState::kDestroying, ResourceEvent::kConfirmed, ResourceState::kGone},
};

// kDeleted is the absence of a row.
enum class WorkerState { kRunning, kStalled, kLanding, kLanded, kRetiring, kDeleted };
enum class WorkerEvent {
  kLand,        // asked to rest: nothing new comes, it stays known
  kRetire,      // asked to leave for good
  kDrained,     // no live non-interruptible owner has a container on it any more
  kExpired,     // no sync until its expiry
  kSync,        // a sync of the session it had
  kNewSession,  // a sync of a new session
  kTimedOut,    // stalled for longer than --stalled-timeout, or ephemeral and expired
  kPrune,       // an operator gives it up
};

inline constexpr WorkerState kWorkerStates[] = {WorkerState::kRunning, WorkerState::kStalled,  WorkerState::kLanding,
                                                WorkerState::kLanded,  WorkerState::kRetiring, WorkerState::kDeleted};

// A stalled worker that syncs again goes back to its intent: running, or the landing or retiring it was in (worker_after_sync).
using WorkerTransition = Transition<WorkerState, WorkerEvent>;
inline constexpr WorkerTransition kWorkerTransitions[] = {
    {WorkerState::kRunning, WorkerEvent::kLand, WorkerState::kLanding},
    {WorkerState::kRunning, WorkerEvent::kRetire, WorkerState::kRetiring},
    {WorkerState::kRunning, WorkerEvent::kExpired, WorkerState::kStalled},
    {WorkerState::kLanding, WorkerEvent::kDrained, WorkerState::kLanded},
    {WorkerState::kLanding, WorkerEvent::kExpired, WorkerState::kStalled},
    {WorkerState::kLanding, WorkerEvent::kPrune, WorkerState::kDeleted},
    {WorkerState::kLanded, WorkerEvent::kNewSession, WorkerState::kRunning},
    {WorkerState::kLanded, WorkerEvent::kRetire, WorkerState::kRetiring},
    {WorkerState::kLanded, WorkerEvent::kPrune, WorkerState::kDeleted},
    {WorkerState::kRetiring, WorkerEvent::kDrained, WorkerState::kDeleted},
    {WorkerState::kRetiring, WorkerEvent::kExpired, WorkerState::kStalled},
    {WorkerState::kRetiring, WorkerEvent::kPrune, WorkerState::kDeleted},
    {WorkerState::kStalled, WorkerEvent::kSync, WorkerState::kRunning},
    {WorkerState::kStalled, WorkerEvent::kNewSession, WorkerState::kRunning},
    {WorkerState::kStalled, WorkerEvent::kTimedOut, WorkerState::kDeleted},
    {WorkerState::kStalled, WorkerEvent::kPrune, WorkerState::kDeleted},
};

std::optional<ResourceState> next(ResourceState from, ResourceEvent event);
std::optional<WorkerState> next(WorkerState from, WorkerEvent event);
WorkerState worker_after_sync(WorkerState now, std::optional<WorkerState> intent, bool new_session);

std::string_view name_of(ResourceState state);
std::string_view name_of(WorkerState state);
std::optional<ResourceState> resource_state_of(std::string_view name);
std::optional<WorkerState> worker_state_of(std::string_view name);

}  // namespace reclaim::fleet
