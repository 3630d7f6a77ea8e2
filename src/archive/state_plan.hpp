// What asking for a tape's state would do to the requests that wait on it, without doing it: the transition table, the tape's queue as it
// is now, and placement as a cleaner would place. What comes or goes meanwhile changes it.
//
// It reads all segments of the queue, a few at a time, and writes nothing.
// Who may call: any thread. Errors: of the store and of the catalogue.
#pragma once

#include <cstdint>
#include <map>

#include "archive/context.hpp"
#include "archive/names.hpp"
#include "archive/tape_states.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

struct StatePlan {
  TapeState becomes = TapeState::kActive;  // X_PENDING where there is a cleanup first
  std::map<Vid, std::uint64_t> requeued;
  std::uint64_t failed = 0;  // no other tape takes them: back to their requesters
  std::uint64_t staying = 0;
  bool more = false;  // the queue holds more segments than a plan looks at
};

// kNotFound; kInvalid (`state`): one that nobody asks for; kConflict where the table refuses, in this order.
Result<StatePlan> plan_tape_state(const Context& context, ports::ObjectStore& store, const Vid& vid, TapeState asked);

}  // namespace reclaim::archive
