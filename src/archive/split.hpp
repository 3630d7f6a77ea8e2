// One segment whose requests go to several queues. What is in no part stays where it is.
//
// The parts become child segments, created as the source's own and announced in the queues they go to, where takers skip them. Then one
// guarded write takes their requests out of the source and names the children in it: the commit point. Before it the children are garbage
// that nobody follows; after it their requests are theirs, and whoever meets a child that does not have its queue as owner yet completes
// that. A crash anywhere, twice, in any interleaving, leaves each request in exactly one place that counts (A1, A2).
//
// Who may call: any agent that has recorded the source and the parts' names as in hand.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "archive/names.hpp"
#include "archive/objects.hpp"
#include "archive/segments.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

// A part of a segment that goes to one queue. Its id is fresh: no object ever had it.
struct Part {
  SegmentId id;
  QueueId to;
  std::vector<stored::Request> requests;
  std::int64_t not_before_ms = 0;  // of the entry
};

struct Split {
  SegmentId source;
  ports::Version at;
  stored::Segment after;  // the source without what its parts took; if that was all, it belongs to nobody afterwards
  std::vector<Part> parts;
};

struct SplitDone {
  Moved moved = Moved::kLost;
  std::optional<SegmentAt> source = {};  // after the commit
};

// Several segments at once, each committed or not by itself; one answer for each. kDone: committed, and completed as far as the store let
// it. kRefused: one of the destinations takes nothing; kLost: the source was changed; in both cases nothing is moved and the children are
// gone, or garbage with a dead owner. Errors: of the store, after which each is committed or not.
Result<std::vector<SplitDone>> split(ports::ObjectStore& store, std::span<const Split> wanted);

// Completes what committed splits of this segment left unfinished: its children get the owners that it names. Who finds a child of it that
// is still pending calls this. Answers how many it completed.
Result<std::size_t> finish_splits(ports::ObjectStore& store, const SegmentId& source);

// A pending child whose source does not name it, or is gone. The source is written anew first, so that a split that has not committed yet
// never will; then the child is removed at the version read. False: it is not garbage (any more).
Result<bool> discard_child(ports::ObjectStore& store, const SegmentId& child);

}  // namespace reclaim::archive
