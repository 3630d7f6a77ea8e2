// Where the requests of a segment go, all at once: the one way in which requests leave a place. Cleaners, drives, reporters, collectors
// and operators decide for each request, and this carries it out by the rule of moves.
//
//   all to one queue       one owner write of the whole segment (move.hpp)
//   to several, or some    a split: children announced, one guarded write of the source commits, owner writes complete it (split.hpp)
//   ended                  they are left out of that same write; what ended was recorded first (ended.hpp), by the caller
//   all ended              the segment is removed
//   all stay               the segment is rewritten as it is now
//
// Several segments go together: each queue is edited once, and each step is one batch. The index of the origin follows (locate.hpp),
// before what it replaces goes.
//
// What callers may rely on: each segment moves as a whole or not at all, guarded by the version at which it was read. The segments and all
// children are on the agent's list before anything is written, and off it when they are somebody else's. Old entries in the queues that
// they were taken from are the caller's to drop; they are dead.
//
// A crash anywhere leaves each request in exactly one place that counts (A1, A2): what is on the list of the dead agent is finished or
// undone by its collector (estate.hpp). What ended is on record and still in the segment until the write: whoever meets it then leaves it
// out again.
//
// Errors: of the store and the agent: some of the segments may have moved, the others have not; kFenced: stop acting.
// Who may call: the hand's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "archive/hand.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {

struct Stay {};
struct End {};  // cancelled, done, removed: it is on record
struct Go {
  QueueId to;
};
using Way = std::variant<Stay, Go, End>;

struct Dispersal {
  SegmentAt from;         // at the version read; its requests as they are to be written
  std::vector<Way> ways;  // of each request, in their order
  // Of the entries that are made: takers leave them alone until then. 0: at once.
  std::int64_t not_before_ms = 0;
};

struct Dispersed {
  Moved moved = Moved::kLost;  // kRefused: a queue takes nothing now: choose again
  // Where some stay: the segment as it is now, at its new version.
  std::optional<SegmentAt> rest = {};
};

// One answer for each, in their order.
Result<std::vector<Dispersed>> disperse(Hand& hand, std::span<const Dispersal> dispersals);

}  // namespace reclaim::archive
