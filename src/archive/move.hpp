// The one rule of moves: entry in the destination, then the owner at the version read, then the old entry away.
//
// Segments move in batches: one edit for each queue that receives, one batch of guarded writes for the segments. A crash anywhere leaves
// each request reachable from exactly one owner (A1): before the owner's write it is where it was and the entry is dead as soon as anything
// happens to the segment; after it, it has arrived. The old entry is the caller's to drop, and harmless if it never does.
// (docs/decisions/054-moves.md; the order is that of CERN's CTA object store scheduler, whose lost requests are why it is an order.)
//
// Who may call: any agent that has recorded the segments as in hand. What another has changed meanwhile is refused by its version and
// answered kLost; nothing of it was changed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "archive/names.hpp"
#include "archive/objects.hpp"
#include "archive/segments.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

// A whole segment to one queue. `after` is what is written: the owner is set by the move, all else (states, reasons, active copy) is the
// caller's.
struct WholeMove {
  SegmentId id;
  ports::Version at;
  stored::Segment after;
  QueueId to;
  std::int64_t not_before_ms = 0;  // of the entry
};

// The answers are in the moves' order. Errors: of the store, after which some moves may have happened and the others have not.
Result<std::vector<Moved>> move_whole(ports::ObjectStore& store, std::span<const WholeMove> moves);

}  // namespace reclaim::archive
