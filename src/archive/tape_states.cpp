#include "archive/tape_states.hpp"

#include "base/check.hpp"

namespace reclaim::archive {

static_assert(is_deterministic(std::span<const TapeTransition>(kTapeTransitions)));

// Every tape can be brought back into service: no state is final.
static_assert([] {
  for (const TapeState state : kTapeStates) {
    bool can_leave = false;
    for (const TapeTransition& row : kTapeTransitions) can_leave = can_leave || (row.from == state && row.to != state);
    if (!can_leave) return false;
  }
  return true;
}());

// Nothing queues on, and no drive mounts, a tape whose queue is being cleaned up.
static_assert([] {
  for (const TapeState state : kTapeStates) {
    const bool is_closed = queueing_of_users(state) == Queueing::kNever && queueing_of_repacks(state) == Queueing::kNever;
    if (is_pending(state) && (!is_closed || may_be_mounted(state))) return false;
  }
  return true;
}());

std::string_view name_of(TapeState state) {
  switch (state) {
    case TapeState::kActive: return "ACTIVE";
    case TapeState::kDisabled: return "DISABLED";
    case TapeState::kRepacking: return "REPACKING";
    case TapeState::kRepackingDisabled: return "REPACKING_DISABLED";
    case TapeState::kBroken: return "BROKEN";
    case TapeState::kExported: return "EXPORTED";
    case TapeState::kRepackingPending: return "REPACKING_PENDING";
    case TapeState::kBrokenPending: return "BROKEN_PENDING";
    case TapeState::kExportedPending: return "EXPORTED_PENDING";
  }
  check(false, "unknown tape state");
  return "";
}

std::optional<TapeState> tape_state_of(std::string_view name) {
  for (const TapeState state : kTapeStates) {
    if (name_of(state) == name) return state;
  }
  return std::nullopt;
}

}  // namespace reclaim::archive
