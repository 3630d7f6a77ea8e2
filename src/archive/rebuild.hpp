// A queue whose bytes nobody can read is made anew from what it was made of: the segments say whose they are. Its bytes are set aside
// (quarantine.hpp), and one guarded write puts in their place a queue with an entry for every segment that names it as owner; where there
// is none, the queue is removed. So it is never seen empty while requests are its own: its tape stays X_PENDING until they have gone (A4).
//
// Its reservation is lost: whoever had it finds that the queue is not his and reserves it again. Lost, too, are entries of what was on its
// way to it; once such a segment has arrived, the sweep finds that no entry names it and announces it again.
//
// Who may call: the sweep, which has just read it. It reads every segment of the store once. A crash leaves the bytes in both places; the
// next sweep goes on.
#pragma once

#include "archive/hand.hpp"
#include "archive/names.hpp"
#include "archive/objects.hpp"
#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

// The queue as it is now: without entries, it is gone. kConflict: somebody has changed it meanwhile; kUnavailable: again with the next
// sweep; kTooLarge: no object can hold its bytes and the reason; it stays where it is, for a person. kCorrupt: a newer Reclaim wrote it,
// and it stays where it is, for one.
Result<stored::Queue> rebuild_queue(Hand& hand, const QueueId& id, const ports::Object& unreadable, const Error& why);

}  // namespace reclaim::archive
