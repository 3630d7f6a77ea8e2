// A requester does not want a file any more.
//
// The request is flagged first, by a guarded write wherever it is: whoever has it in hand, or takes it from now on, sees that. One that
// waits in a queue is then put on record as cancelled and left out of its segment. One in a drive's hands stays flagged, and the drive
// leaves it out; if it was copied by then, it is delivered.
//
// A crash leaves it untouched, flagged, or on record and still in its segment: whoever takes it leaves it out.
// Who may call: the hand's thread, which closes an open tail of its own first (enqueue.hpp).
#pragma once

#include <functional>

#include "archive/context.hpp"
#include "archive/hand.hpp"
#include "archive/requests.hpp"

namespace reclaim::archive {

enum class Cancelled { kRemoved, kFlagged };
struct Cancelling {
  Cancelled how = Cancelled::kRemoved;
  ShownRequest request;  // as it was
};

// Called before a segment is changed by this thread.
using Closing = std::function<void(const SegmentId&)>;

// kNotFound: there is none, or it was cancelled or removed; kConflict: it is delivered or failed, so it is too late. Again after an error.
Result<Cancelling> cancel_request(Hand& hand, const Context& context, const RequestId& id, const Closing& close);

}  // namespace reclaim::archive
