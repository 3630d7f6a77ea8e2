// What a queue's entries say of a segment, after the segment was changed in place: lists show it. For this room only.
//
// Hints, as all of an entry but its identity: whoever fails to write them leaves figures that are wrong until the segment goes.
#pragma once

#include "archive/objects.hpp"
#include "archive/queues.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {

// In all entries of that segment. False: there is none.
bool set_figures(stored::Queue& queue, const SegmentAt& at);
Status write_figures(ports::ObjectStore& store, const QueueId& queue, const SegmentAt& at);

}  // namespace reclaim::archive
