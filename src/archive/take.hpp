// Taking segments out of a queue into one's hands: drives take what they read, reporters what they report.
//
// The version is read, the names are recorded, the owner is written at that version, and then the entries are dropped: only those by
// which the segments were taken, and dead ones that were met. A queue under cleanup gives nothing to anybody but its cleaner. What cannot
// be read is quarantined (quarantine.hpp) and hinders nobody; nor do entries of moves that are still under way.
//
// A crash leaves taken segments on the list of the dead agent, whose collector puts them back (estate.hpp), and dead entries, which whoever
// edits the queue next drops.
// Errors: of the store and the agent, and then nothing was taken; kFenced: stop acting. Who may call: the hand's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "archive/hand.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {

inline constexpr std::size_t kTakeMax = 64;                           // segments at once
inline constexpr std::size_t kTakeBytesMax = std::size_t{32} << 20U;  // no more are read once these hold as much

// The entries to be taken, best first, out of those that the queue has. Not called for a queue that gives nothing; called again, with what
// is left, where nothing of what it chose could be taken.
using Choose = std::function<std::vector<stored::Queue::Pointer>(const stored::Queue&)>;

struct TakenSegments {
  std::vector<SegmentAt> segments;    // owned by the hand's agent, at their new versions
  std::vector<std::string> problems;  // what could not be read or written, and what became of it
  // A write was not answered, again and again: a segment may become the agent's when nobody expects it. Its name stays on the list. When
  // what is in hand is done, the agent is to be given up for a new one: the collector returns the segment.
  bool is_in_doubt = false;
};

// Whatever of the chosen is this queue's and was not taken by somebody else first, within the limits. Nothing: the queue is not there, is
// under cleanup, or has nothing that is chosen and can be taken.
Result<TakenSegments> take(Hand& hand, const QueueId& queue, const Choose& choose);

}  // namespace reclaim::archive
