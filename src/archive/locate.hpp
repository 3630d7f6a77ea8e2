// Where a request is, by its id: in a number of reads that does not grow with how often it moved, and nothing is searched.
//
// Its id names the segment it was enqueued in, its origin. It is there; or the origin's record says to which child a split moved it; or,
// where that child was split again, the origin's index does, which then counts more. Origin and index are read together, so that at rest
// it is at most three reads. Between a split and the index that follows it, the forwarding of the segment there is followed.
//
// A request only ever moves on, to a segment that never held it before: from its origin to a child, from there to a child of that. The
// index names a place on this way and is only ever moved forward, whoever writes it, however late. So what was not found is not there if
// the index did not change while it was looked for. (docs/decisions/056-locate.md)
//
// Who may call: any thread. A request that moves while it is looked for is looked for again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "archive/names.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {

inline constexpr std::size_t kLocateMax = 1000;  // at once: all their segments are in memory

struct Located {
  // All that are found in one segment share it. Its owner may be another segment still: who writes it completes that split first
  // (split.hpp: finish_splits).
  std::shared_ptr<const SegmentAt> segment;
  int place = 0;  // of the request in it

  const stored::Request& request() const { return segment->segment.requests(place); }
};

// Nothing: it has ended, or there never was one. Errors: kUnavailable, also when it did not come to rest; kCorrupt: what leads to it cannot
// be read, or was set aside (quarantine.hpp).
Result<std::optional<Located>> locate(ports::ObjectStore& store, const RequestId& id);
// Each by itself, in their order; reads that several have in common are done once. Beyond kLocateMax all are kTooLarge.
std::vector<Result<std::optional<Located>>> locate_all(ports::ObjectStore& store, std::span<const RequestId> ids);

// After a split of a segment that is not its own origin: the index says where its requests went, and then its forwarding goes; a segment
// with nothing left is removed. Of an origin the forwarding stays: it is the index. To be called for a segment on the hand's list; again
// after a crash or an error, by whoever finds forwarding in a segment that is no origin.
// Answers the segment as it is then, without forwarding unless it is an origin, whoever owns it by then; nothing where it is gone.
// Errors: kUnavailable: it may still be written, its name is not let go; kContended; kCorrupt.
Result<std::optional<SegmentAt>> settle_forwarding(ports::ObjectStore& store, const SegmentId& segment);
// These requests of that origin have ended: what leads to them goes, and with the last of them origin and index. The origin is rewritten
// also while it is in somebody's hands, who finds out as with any rewrite (agents/agent.hpp). A crash leaves records that lead to nothing;
// sweep.hpp finds them. So does a request that ends in the very moment in which a split on its way is settled.
Status forget(ports::ObjectStore& store, const SegmentId& origin, std::span<const std::uint32_t> ordinals);

}  // namespace reclaim::archive
