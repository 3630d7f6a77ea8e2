// One segment, looked at by itself, and settled where nobody does: what the sweep does with what looks suspicious to it, and the cleanup
// with what keeps its queue from being empty. For this room only.
//
// What may be somebody's is left to him: a living agent's, a child whose maker has it on its list. Each write is guarded by what was seen.
// A crash leaves it settled or not.
#pragma once

#include "agents/takeover.hpp"
#include "archive/hand.hpp"
#include "archive/names.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {

enum class Stray {
  kInOrder,     // or somebody's affair, or gone
  kSettled,     // something was written
  kForwarding,  // it holds no requests and is left as it is
};
// Errors: of the store and the agent; kConflict: again with the next pass.
Result<Stray> settle_stray(Hand& hand, agents::Estate& estate, const SegmentId& id);

}  // namespace reclaim::archive
