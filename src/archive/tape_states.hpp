// The life of a tape, as a table: what an operator may ask of it, what becomes of that, and what else moves it. docs/architecture.md
// prints the same table.
//
// A tape that leaves service while requests may wait on it goes through X_PENDING: that row in the catalogue is the durable intent to
// clean up, found by every pass, whatever crashed. Only the pass that has emptied its queue makes it X.
#pragma once

#include <optional>
#include <string_view>

#include "base/transitions.hpp"

namespace reclaim::archive {

enum class TapeState {
  kActive,
  kDisabled,
  kRepacking,
  kRepackingDisabled,
  kBroken,
  kExported,
  kRepackingPending,
  kBrokenPending,
  kExportedPending,
};
enum class TapeEvent {
  kAskActive,             // an operator asks for ACTIVE
  kAskDisabled,           // an operator asks for DISABLED
  kAskRepacking,          // an operator asks for REPACKING
  kAskRepackingDisabled,  // an operator asks for REPACKING_DISABLED
  kAskBroken,             // an operator asks for BROKEN
  kAskExported,           // an operator asks for EXPORTED
  kCleaned,               // its queue is empty and no live drive has it mounted
  kDriveFailed,           // the drive that had it mounted failed
};

inline constexpr TapeState kTapeStates[] = {
    TapeState::kActive,   TapeState::kDisabled,         TapeState::kRepacking,     TapeState::kRepackingDisabled, TapeState::kBroken,
    TapeState::kExported, TapeState::kRepackingPending, TapeState::kBrokenPending, TapeState::kExportedPending};

// What is not here is refused. Where a tape stays what it is, asking changes the reason only.
using TapeTransition = Transition<TapeState, TapeEvent>;
inline constexpr TapeTransition kTapeTransitions[] = {
    {TapeState::kActive, TapeEvent::kAskActive, TapeState::kActive},
    {TapeState::kActive, TapeEvent::kAskDisabled, TapeState::kDisabled},
    {TapeState::kActive, TapeEvent::kAskRepacking, TapeState::kRepackingPending},
    {TapeState::kActive, TapeEvent::kAskBroken, TapeState::kBrokenPending},
    {TapeState::kActive, TapeEvent::kAskExported, TapeState::kExportedPending},
    {TapeState::kActive, TapeEvent::kDriveFailed, TapeState::kDisabled},
    {TapeState::kDisabled, TapeEvent::kAskActive, TapeState::kActive},
    {TapeState::kDisabled, TapeEvent::kAskDisabled, TapeState::kDisabled},
    {TapeState::kDisabled, TapeEvent::kAskRepacking, TapeState::kRepackingPending},
    {TapeState::kDisabled, TapeEvent::kAskBroken, TapeState::kBrokenPending},
    {TapeState::kDisabled, TapeEvent::kAskExported, TapeState::kExportedPending},
    {TapeState::kRepacking, TapeEvent::kAskActive, TapeState::kActive},
    {TapeState::kRepacking, TapeEvent::kAskDisabled, TapeState::kDisabled},
    {TapeState::kRepacking, TapeEvent::kAskRepacking, TapeState::kRepacking},
    {TapeState::kRepacking, TapeEvent::kAskRepackingDisabled, TapeState::kRepackingDisabled},
    {TapeState::kRepacking, TapeEvent::kAskBroken, TapeState::kBroken},
    {TapeState::kRepacking, TapeEvent::kAskExported, TapeState::kExported},
    {TapeState::kRepacking, TapeEvent::kDriveFailed, TapeState::kRepackingDisabled},
    {TapeState::kRepackingDisabled, TapeEvent::kAskRepacking, TapeState::kRepacking},
    {TapeState::kRepackingDisabled, TapeEvent::kAskRepackingDisabled, TapeState::kRepackingDisabled},
    {TapeState::kRepackingDisabled, TapeEvent::kAskBroken, TapeState::kBroken},
    {TapeState::kRepackingDisabled, TapeEvent::kAskExported, TapeState::kExported},
    {TapeState::kBroken, TapeEvent::kAskActive, TapeState::kActive},
    {TapeState::kBroken, TapeEvent::kAskDisabled, TapeState::kDisabled},
    {TapeState::kBroken, TapeEvent::kAskRepacking, TapeState::kRepackingPending},
    {TapeState::kBroken, TapeEvent::kAskBroken, TapeState::kBroken},
    {TapeState::kBroken, TapeEvent::kAskExported, TapeState::kExportedPending},
    {TapeState::kExported, TapeEvent::kAskActive, TapeState::kActive},
    {TapeState::kExported, TapeEvent::kAskDisabled, TapeState::kDisabled},
    {TapeState::kExported, TapeEvent::kAskRepacking, TapeState::kRepackingPending},
    {TapeState::kExported, TapeEvent::kAskBroken, TapeState::kBrokenPending},
    {TapeState::kExported, TapeEvent::kAskExported, TapeState::kExported},
    {TapeState::kRepackingPending, TapeEvent::kAskRepacking, TapeState::kRepackingPending},
    {TapeState::kRepackingPending, TapeEvent::kCleaned, TapeState::kRepacking},
    {TapeState::kBrokenPending, TapeEvent::kAskBroken, TapeState::kBrokenPending},
    {TapeState::kBrokenPending, TapeEvent::kCleaned, TapeState::kBroken},
    {TapeState::kExportedPending, TapeEvent::kAskExported, TapeState::kExportedPending},
    {TapeState::kExportedPending, TapeEvent::kCleaned, TapeState::kExported},
};

constexpr std::optional<TapeState> next(TapeState from, TapeEvent event) {
  return next_state(std::span<const TapeTransition>(kTapeTransitions), from, event);
}

// What asking for a state is; nullopt for the states that nobody may ask for, X_PENDING.
constexpr std::optional<TapeEvent> asking_for(TapeState state) {
  switch (state) {
    case TapeState::kActive: return TapeEvent::kAskActive;
    case TapeState::kDisabled: return TapeEvent::kAskDisabled;
    case TapeState::kRepacking: return TapeEvent::kAskRepacking;
    case TapeState::kRepackingDisabled: return TapeEvent::kAskRepackingDisabled;
    case TapeState::kBroken: return TapeEvent::kAskBroken;
    case TapeState::kExported: return TapeEvent::kAskExported;
    case TapeState::kRepackingPending:
    case TapeState::kBrokenPending:
    case TapeState::kExportedPending: return std::nullopt;
  }
  return std::nullopt;
}

// X for X_PENDING, nullopt for the others: what the tape becomes once its queue is cleaned up.
constexpr std::optional<TapeState> once_cleaned(TapeState state) { return next(state, TapeEvent::kCleaned); }
constexpr bool is_pending(TapeState state) { return once_cleaned(state).has_value(); }

// Which requests may queue on a tape. A tape of the first choice is taken before one of the second, one of the third never.
enum class Queueing { kFirst, kSecond, kNever };
constexpr Queueing queueing_of_users(TapeState state) {
  if (state == TapeState::kActive) return Queueing::kFirst;
  return state == TapeState::kDisabled ? Queueing::kSecond : Queueing::kNever;
}
constexpr Queueing queueing_of_repacks(TapeState state) {
  if (state == TapeState::kRepacking) return Queueing::kFirst;
  return state == TapeState::kRepackingDisabled ? Queueing::kSecond : Queueing::kNever;
}
constexpr bool may_be_mounted(TapeState state) { return state == TapeState::kActive || state == TapeState::kRepacking; }

// Why a tape is out of service has to be said; on one in service there is nothing to explain.
constexpr bool needs_reason(TapeState asked) { return asked != TapeState::kActive; }

std::string_view name_of(TapeState state);
std::optional<TapeState> tape_state_of(std::string_view name);

}  // namespace reclaim::archive
