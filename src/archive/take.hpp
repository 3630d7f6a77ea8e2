// Taking segments out of a queue into one's hands: drives take what they read, reporters what they report.
//
// The version is read, the names are recorded, the owner is written at that version, and then the entries are dropped: only those by
// which the segments were taken. A queue under cleanup gives nothing to anybody but its cleaner. What cannot be read is quarantined
// (quarantine.hpp) and hinders nobody.
//
// A crash leaves taken segments on the list of the dead agent, whose collector puts them back (estate.hpp), and dead entries, which whoever
// edits the queue next drops.
// Errors: of the store and the agent; kFenced: stop acting. Who may call: the hand's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "archive/hand.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {

// The entries to be taken, best first, out of those that the queue has. Not called for a queue that gives nothing.
using Choose = std::function<std::vector<stored::Queue::Pointer>(const stored::Queue&)>;

struct TakenSegments {
  std::vector<SegmentAt> segments;    // owned by the hand's agent, at their new versions
  std::vector<std::string> problems;  // what could not be read and was set aside
};

// Whatever of the chosen is this queue's and was not taken by somebody else first. Nothing: the queue is not there, is under cleanup, or
// nothing was chosen.
Result<TakenSegments> take(Hand& hand, const QueueId& queue, const Choose& choose);

}  // namespace reclaim::archive
