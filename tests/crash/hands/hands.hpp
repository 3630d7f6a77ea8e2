// Somebody at work on a store, between two calls of whom others come in: an agent with a hand, and segments in queues.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "archive/hand.hpp"
#include "archive/objects.hpp"
#include "archive/queues.hpp"
#include "archive/segments.hpp"
#include "support/interrupted_store.hpp"

namespace reclaim::archive::samples {

using Interrupted = test::InterruptedStore;

struct AtWork {
  explicit AtWork(ports::ObjectStore& store, const std::string& name = "drive-1")
      : agent(agents::Agent::register_as(store, name, "drive").value()), hand(store, *agent) {}

  std::unique_ptr<agents::Agent> agent;
  Hand hand;
};

// A request with a copy on each of three tapes, as it waits in that queue.
inline stored::Request waiting(std::uint32_t ordinal, const QueueId& queue) {
  stored::Request made;
  made.set_ordinal(ordinal);
  made.set_file("f" + std::to_string(ordinal));
  made.set_destination("out/" + std::to_string(ordinal));
  made.set_size(1000);
  made.set_checksum("adler32:0123abcd");
  for (const char* vid : {"V1", "V2", "V3"}) {
    stored::Request::Copy& copy = *made.add_copies();
    copy.set_vid(vid);
    copy.set_fseq(ordinal);
    if (queue.vid.str() == vid) made.set_active_copy(static_cast<std::uint32_t>(made.copies_size() - 1));
  }
  if (queue.type != QueueType::kToTransfer) made.set_state(stored::Request::FAILED);
  return made;
}

inline stored::Segment waiting_segment(const SegmentId& id, const QueueId& queue, const std::set<std::uint32_t>& ordinals) {
  stored::Segment segment;
  segment.set_owner(object_name(queue).str());
  segment.set_origin(object_name(id).str());
  for (const std::uint32_t ordinal : ordinals) *segment.add_requests() = waiting(ordinal, queue);
  return segment;
}

// A segment in that queue, with its entry. Answers the entry.
inline stored::Queue::Pointer put_into(ports::ObjectStore& store, const QueueId& queue, const SegmentId& id,
                                       const std::set<std::uint32_t>& ordinals) {
  const stored::Segment segment = waiting_segment(id, queue, ordinals);
  const ports::Version at = store.create(object_name(id), encode(id, segment)).value();
  stored::Queue::Pointer entry = summarize(id, at, segment);
  announce(store, queue, std::span(&entry, 1)).value();
  return entry;
}

}  // namespace reclaim::archive::samples
