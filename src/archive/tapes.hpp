// Tapes in the catalogue, and their life (tape_states.hpp). Each use case is one transaction under the lock of the tape's row: two
// changes of one tape happen one after the other, and each leaves its event with it or nothing at all.
//
// Who may call: any thread. A crash leaves the state before or after; X_PENDING survives everything and is found by pending_tapes().
#pragma once

#include <string>
#include <vector>

#include "archive/context.hpp"
#include "archive/names.hpp"
#include "archive/tape_states.hpp"

namespace reclaim::archive {

using PoolName = Id<struct PoolNameTag>;
using LibraryName = Id<struct LibraryNameTag>;

struct TapeSpec {
  Vid vid;
  PoolName pool;
  LibraryName library;
  TapeState state = TapeState::kActive;
  std::string reason = {};
  bool full = false;
  bool operator==(const TapeSpec&) const = default;
};

struct Tape {
  TapeSpec spec;
  WallTime state_since;
};

// Registers a tape in a state that an operator may ask for. The same again with equal content answers created = false.
// kInvalid: a state that is X_PENDING, no reason though the state needs one. kConflict: there with other content.
Result<Outcome<Tape>> add_tape(const Context& context, const TapeSpec& spec);
Result<Tape> find_tape(const Context& context, const Vid& vid);
// Those of these that there are, by VID, in one statement.
Result<std::vector<Tape>> find_tapes(const Context& context, const std::vector<Vid>& vids);
// By VID.
Result<std::vector<Tape>> list_tapes(const Context& context, const std::string& after, std::int64_t limit);

// Asks for a state. The answer's state is the one asked for, or X_PENDING: then the pass that empties the tape's queue makes it X.
// Asking for the present state, or again for the one that is pending, changes the reason only. The reason goes when a tape comes back to
// ACTIVE. kNotFound; kInvalid (`state`, `reason`); kConflict where the table refuses, in this order.
Result<Tape> ask_tape_state(const Context& context, const Vid& vid, TapeState asked, const std::string& reason);

// kConflict while a copy is on it or a request names it.
Result<Tape> remove_tape(const Context& context, const Vid& vid, const HasRequests& has_requests);

// A tape that waits for its queue to be cleaned up: one stay in X_PENDING.
struct PendingTape {
  Vid vid;
  TapeState state;
  std::string reason;  // the operator's
  std::int64_t change = 0;
};
// Where each pass begins. By VID.
Result<std::vector<PendingTape>> pending_tapes(const Context& context);

// X_PENDING -> X, with its reason, for whoever has found its queue empty and no live drive with it mounted. False: this stay is over, by
// somebody else's doing, which is as good. A later stay of the same tape in the same state is not ended.
Result<bool> finish_pending(const Context& context, const PendingTape& tape);

}  // namespace reclaim::archive
