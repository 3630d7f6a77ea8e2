// Where a request is, by its id: in a number of reads that does not grow with how often it moved, and nothing is searched.
//
// Its id names the segment it was enqueued in, its origin. It is there; or the origin's record says to which child a split moved it; or,
// where that child was split again, the origin's index does, which then counts more. Origin and index are read together, so that at rest
// it is at most three reads. Between a split and the index that follows it, the forwarding of the segment there is followed.
//
// Who may call: any thread. A request that moves while it is looked for is looked for again.
#pragma once

#include <optional>
#include <span>

#include "archive/hand.hpp"
#include "archive/names.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {

struct Located {
  SegmentAt segment;
  int place = 0;  // of the request in it

  const stored::Request& request() const { return segment.segment.requests(place); }
};

// Nothing: it has ended, or there never was one. kUnavailable: also when it did not come to rest.
Result<std::optional<Located>> locate(ports::ObjectStore& store, const RequestId& id);
// In their order; reads that several have in common are done once.
Result<std::vector<std::optional<Located>>> locate_all(ports::ObjectStore& store, std::span<const RequestId> ids);

// After a split of a segment that is not its own origin: the index says where its requests went, and then its forwarding goes; a segment
// with nothing left is removed. Of an origin the forwarding stays: it is the index. To be called for a segment on the hand's list; again
// after a crash, by whoever finds forwarding in a segment that is no origin.
Status settle_forwarding(ports::ObjectStore& store, const SegmentId& segment);
// These requests of that origin have ended: what leads to them goes, and with the last of them origin and index. A crash leaves records
// that lead to nothing; sweep.hpp finds them.
Status forget(ports::ObjectStore& store, const SegmentId& origin, std::span<const std::uint32_t> ordinals);

}  // namespace reclaim::archive
