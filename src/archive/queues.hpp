// One queue's object, changed by reading, editing and a guarded write; and what its entries are worth (docs/decisions/054-moves.md).
//
// An entry names a segment and the version of it at which its writer makes it this queue's. It is a hint: the segment's owner decides.
//
// Who may call: any thread and process; two that edit one queue at once are told apart by its version, and one of them edits again. A
// crash leaves the edit done or not.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "archive/names.hpp"
#include "archive/objects.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

inline constexpr int kEditAttempts = 32;

// What an edit has decided, looking at the queue: to write it as it is now, to leave all as it was, or to remove the object.
enum class Edited { kWrite, kNothing, kRemove };

// A queue that is not there is handed to the edit as an empty one, and made by writing it. An edit may be called again, on the queue as it
// is then, also after a write whose answer was lost: it must find for itself what it has done already.
// Errors: the edit's own, with nothing changed; kContended after kEditAttempts; kUnavailable: it may or may not have happened; kCorrupt.
using QueueEdit = std::function<Result<Edited>(stored::Queue&)>;
Status edit_queue(ports::ObjectStore& store, const QueueId& id, const QueueEdit& edit);

// The queue, or nothing where there is none.
Result<std::optional<stored::Queue>> read_queue(ports::ObjectStore& store, const QueueId& id);

// What a to-transfer queue under cleanup does not. A marked to-report queue does: a drive may be finishing.
bool takes_entries(const stored::Queue& queue);
// Adds the entry unless the very same is there.
void add_entry(stored::Queue& queue, const stored::Queue::Pointer& entry);
// The first step of every move. kConflict: the queue is under cleanup and takes nothing; choose again.
Status announce(ports::ObjectStore& store, const QueueId& to, std::span<const stored::Queue::Pointer> entries);
// announce() for several queues, none of them twice: one batch of reads, one of writes, and again by itself only what others were at.
struct Announcement {
  QueueId to;
  std::vector<stored::Queue::Pointer> entries;
};
std::vector<Status> announce_all(ports::ObjectStore& store, std::span<const Announcement> announcements);
// Drops the entries of that segment and version, and no others of the segment.
bool drop_entry(stored::Queue& queue, const SegmentId& segment, ports::Version expects);

// A segment as a reader found it; nothing where it is gone.
struct SegmentSeen {
  std::string owner;  // object name; empty: nothing is left of it but forwarding
  ports::Version version;
};
enum class Standing {
  kLive,      // the segment is this queue's
  kIncoming,  // its writer may still make it so: takers skip it, the queue is not empty
  kDead,      // no write can make it live again
};
Standing standing_of(const stored::Queue::Pointer& entry, const QueueId& queue, const std::optional<SegmentSeen>& seen);

// Reads the segments of all entries, drops the dead ones and duplicates of live ones, and removes the queue where nothing is left and
// nobody has reserved it. Answers how many entries are left. With `only`, all other segments' entries are left as they are, unread.
Result<std::size_t> tidy_queue(ports::ObjectStore& store, const QueueId& id, const std::optional<std::set<SegmentId>>& only = {});

}  // namespace reclaim::archive
