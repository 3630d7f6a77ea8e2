#include "archive/rebuild.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "archive/quarantine.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {
namespace {

constexpr std::size_t kSegmentsAtOnce = 16;
constexpr Millis kStep{30'000};

// One that cannot be read names nobody.
Status add_owned(ports::ObjectStore& store, const Owner& owner, std::span<const SegmentId> ids, stored::Queue& queue) {
  for (const SegmentReading& reading : read_each_segment(store, ids)) {
    if (!reading.segment.ok() && reading.segment.error().kind == Error::Kind::kCorrupt) continue;
    const auto& found = TRY(reading.segment);
    const bool fits = queue.pointers_size() < kPointersMax;
    if (found && fits && found->is_owned_by(owner)) *queue.add_pointers() = summarize(found->id, found->version, found->segment);
  }
  return done();
}

}  // namespace

Result<stored::Queue> rebuild_queue(Hand& hand, const QueueId& id, const ports::Object& unreadable, const Error& why) {
  ports::ObjectStore& store = hand.store();
  TRY(keep_aside(store, DamagedQueue{.queue = id, .version = unreadable.version.number}, unreadable, why.message));
  std::vector<SegmentId> segments;
  for (const std::string& key : TRY(store.list_all("segment"))) {
    const Result<SegmentId> segment = parse_segment_name("segment/" + key);
    if (segment.ok()) segments.push_back(segment.value());
  }
  stored::Queue queue = empty_queue(id);
  for (std::span<const SegmentId> rest(segments); !rest.empty(); rest = rest.subspan(std::min(kSegmentsAtOnce, rest.size()))) {
    hand.progress(kStep);
    TRY(add_owned(store, Owner(id), rest.first(std::min(kSegmentsAtOnce, rest.size())), queue));
  }
  if (queue.pointers().empty()) {
    TRY(store.remove(object_name(id), unreadable.version));
  } else {
    TRY(store.replace(object_name(id), unreadable.version, encode(id, queue)));
  }
  return queue;
}

}  // namespace reclaim::archive
