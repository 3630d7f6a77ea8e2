#include "fleet/states.hpp"

#include "base/check.hpp"

namespace reclaim::fleet {

static_assert(is_deterministic(std::span<const ResourceTransition>(kResourceTransitions)));
static_assert(only_final_is_stuck(std::span<const ResourceTransition>(kResourceTransitions),
                                  std::span<const ResourceState>(kResourceStates), ResourceState::kGone));
static_assert(is_deterministic(std::span<const WorkerTransition>(kWorkerTransitions)));
static_assert(only_final_is_stuck(std::span<const WorkerTransition>(kWorkerTransitions), std::span<const WorkerState>(kWorkerStates),
                                  WorkerState::kDeleted));

std::optional<ResourceState> next(ResourceState from, ResourceEvent event) {
  return next_state(std::span<const ResourceTransition>(kResourceTransitions), from, event);
}

std::optional<WorkerState> next(WorkerState from, WorkerEvent event) {
  return next_state(std::span<const WorkerTransition>(kWorkerTransitions), from, event);
}

WorkerState worker_after_sync(WorkerState now, std::optional<WorkerState> intent, bool new_session) {
  const std::optional<WorkerState> after = next(now, new_session ? WorkerEvent::kNewSession : WorkerEvent::kSync);
  if (!after) return now;
  return now == WorkerState::kStalled && intent ? *intent : *after;
}

std::string_view name_of(ResourceState state) {
  switch (state) {
    case ResourceState::kCreating: return "creating";
    case ResourceState::kCreated: return "created";
    case ResourceState::kFailed: return "failed";
    case ResourceState::kDestroying: return "destroying";
    case ResourceState::kGone: return "gone";
  }
  check(false, "unknown resource state");
  return "";
}

std::string_view name_of(WorkerState state) {
  switch (state) {
    case WorkerState::kRunning: return "running";
    case WorkerState::kStalled: return "stalled";
    case WorkerState::kLanding: return "landing";
    case WorkerState::kLanded: return "landed";
    case WorkerState::kRetiring: return "retiring";
    case WorkerState::kDeleted: return "deleted";
  }
  check(false, "unknown worker state");
  return "";
}

std::optional<ResourceState> resource_state_of(std::string_view name) {
  for (const ResourceState state : kResourceStates) {
    if (state != ResourceState::kGone && name_of(state) == name) return state;
  }
  return std::nullopt;
}

std::optional<WorkerState> worker_state_of(std::string_view name) {
  for (const WorkerState state : kWorkerStates) {
    if (state != WorkerState::kDeleted && name_of(state) == name) return state;
  }
  return std::nullopt;
}

}  // namespace reclaim::fleet
