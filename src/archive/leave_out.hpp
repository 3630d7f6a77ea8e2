// Requests out of a segment that waits in a queue: an operator's or requester's decision. For this room only.
//
//   flag        what is not wanted any more, in the segment: whoever has it, or takes it from now on, sees that
//   leave_out   on record as ended, then out of the segment
//
// The segment is on the hand's list before anything is on record: what a crash leaves in both is left out by the hand's collector.
#pragma once

#include <optional>
#include <span>

#include "archive/context.hpp"
#include "archive/disperse.hpp"
#include "archive/ended.hpp"
#include "archive/hand.hpp"
#include "archive/names.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {

// The segment with a flag at each of these places, at its new version; nothing where somebody was faster.
Result<std::optional<SegmentAt>> flag(ports::ObjectStore& store, SegmentAt at, std::span<const int> places);

// The requests at these places go their way, the others stay; what the queue's entries say follows. `from` is the segment as it is to be
// written, at the version read. kLost, kRefused: nothing happened (disperse.hpp).
Result<Moved> part(Hand& hand, const QueueId& queue, SegmentAt from, std::span<const int> places, const Way& way);

// False: somebody has changed the segment meanwhile; they are on record, and whoever has them leaves them out.
Result<bool> leave_out(Hand& hand, const Context& context, const QueueId& queue, SegmentAt from, std::span<const int> places, Ending how);

}  // namespace reclaim::archive
