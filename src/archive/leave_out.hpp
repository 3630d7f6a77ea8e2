// One request out of the segment that waits in a queue: an operator's or requester's decision. For this room only.
#pragma once

#include <cstdint>

#include "archive/disperse.hpp"
#include "archive/hand.hpp"
#include "archive/names.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {

// That request goes its way, the others stay; what the queue's entries say follows. `from` is the segment as it is to be written, at the
// version read. kLost, kRefused: nothing happened (disperse.hpp).
Result<Moved> part(Hand& hand, const QueueId& queue, SegmentAt from, int place, const Way& way);

// One that is on record as ended. False: somebody has changed the segment meanwhile.
Result<bool> leave_out(Hand& hand, const QueueId& queue, SegmentAt from, int place);

}  // namespace reclaim::archive
