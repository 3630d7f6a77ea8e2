// The objects of this room as bytes and back: segments, indexes, queues, mounts and what was set aside (objects.proto), in the envelope of
// src/stored.
//
// What is read is checked whole. Names are well formed, ordinals ascend and occur once in a segment, limits hold: what does not fit is
// kCorrupt, names the object, the part and what is wrong with it, and nothing of it is used. Fields that a newer Reclaim added stay in the
// messages and are written back with them.
//
// A request that is wrong in itself stops nobody: decode_segment() sets it aside, in memory. Every field that cannot be taken is emptied,
// what was queued becomes FAILED with the reason among its errors, and the beginning of what was stored is kept in it. Whoever writes the
// segment next makes that last; until then each reader comes to the same. So whoever holds requests sees only such as keep the rules of
// check_request(), and a request that is set aside goes the way of every failed one: reported if its `report_to` could be read, else to
// the failed queue. Only where its ordinal is wrong nobody can say which request it is: then the segment is kCorrupt.
//
// A segment without requests belongs to nobody: decode_segment() empties its owner.
//
// Who may call: any thread; nothing is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/names.hpp"
#include "archive/objects.pb.h"
#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

inline constexpr std::uint16_t kObjectsFormat = 1;
// A new segment, sealed. Whatever its requests gather afterwards still fits into an object.
inline constexpr std::size_t kSegmentBytesMax = std::size_t{3} << 20U;
inline constexpr int kPointersMax = 100'000;  // of one queue
inline constexpr int kErrorsMax = 10;         // of one request: the oldest goes first
inline constexpr std::size_t kErrorBytesMax = 500;
inline constexpr std::size_t kChecksumBytesMax = 150;
inline constexpr std::size_t kRequesterBytesMax = 256;
inline constexpr std::size_t kDestinationBytesMax = 4096;
inline constexpr std::size_t kDestinationComponentMax = 255;
inline constexpr std::size_t kReportToBytesMax = 2048;
inline constexpr std::size_t kSetAsideBytesMax = 1000;

struct SetAside {
  std::uint32_t ordinal = 0;
  std::string reason;  // `copies[1].vid: must match ...`
};

struct DecodedSegment {
  stored::Segment segment;
  std::vector<SetAside> set_aside;  // by this decoding; those that were written so are ordinary failed requests
};

Result<DecodedSegment> decode_segment(const SegmentId& id, std::string_view bytes);
Result<stored::Index> decode_index(const SegmentId& origin, std::string_view bytes);
Result<stored::Queue> decode_queue(const QueueId& id, std::string_view bytes);
Result<stored::Mount> decode_mount(const Vid& vid, std::string_view bytes);
Result<stored::Damaged> decode_damaged(const SegmentId& id, std::string_view bytes);  // the segment's id

// What breaks the rules is written all the same, and refused by the next reader: who makes a request asks check_request() first.
std::string encode(const SegmentId& id, const stored::Segment& segment);
std::string encode(const SegmentId& origin, const stored::Index& index);
std::string encode(const QueueId& id, const stored::Queue& queue);
std::string encode(const Vid& vid, const stored::Mount& mount);
std::string encode(const SegmentId& id, const stored::Damaged& damaged);

// kInvalid with the field: `destination`, `copies[1].vid`. The ordinal is the segment's affair.
Status check_request(const stored::Request& request);

// In one line of UTF-8, cut to kErrorBytesMax.
void add_error(stored::Request& request, std::string_view text);
// Null only for one that was set aside and has no copy left.
const stored::Request::Copy* active_copy(const stored::Request& request);

// What a queue is told of the segment by who is about to make it the queue's at that version.
stored::Queue::Pointer summarize(const SegmentId& id, ports::Version expects, const stored::Segment& segment);
stored::Queue empty_queue(const QueueId& id);

}  // namespace reclaim::archive
