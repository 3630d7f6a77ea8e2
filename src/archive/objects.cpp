#include "archive/objects.hpp"

#include <algorithm>
#include <bitset>
#include <limits>
#include <utility>

#include "archive/request_rules.hpp"
#include "stored/envelope.hpp"

namespace reclaim::archive {
namespace {

using stored::Damaged;
using stored::Index;
using stored::Mount;
using stored::Queue;
using stored::Request;
using stored::Segment;

// What a request may gather after it was enqueued: errors, the mark of being set aside, a forwarding entry of its own, counters.
constexpr std::size_t kGrowthMax = kErrorsMax * (kErrorBytesMax + 3) + kSetAsideBytesMax + 200;
static_assert(kSegmentBytesMax + kRequestsPerSegmentMax * kGrowthMax <= ports::kObjectBytesMax);
// A pointer: its segment's name of at most 49 bytes, and seven numbers.
static_assert(kPointersMax * 150 <= ports::kObjectBytesMax);

std::string at(const char* list, int index, const char* field) {
  return std::string(list) + "[" + std::to_string(index) + "]" + (*field == '\0' ? "" : ".") + field;
}

// The ordinals of a segment or an index: each occurs once.
class Ordinals {
 public:
  // Empty: it may be taken, and now is.
  std::string take(std::uint32_t ordinal) {
    const std::string text = std::to_string(ordinal);
    if (ordinal < 1 || ordinal > kRequestsPerSegmentMax) return text + " is not 1 to " + std::to_string(kRequestsPerSegmentMax);
    if (taken_.test(ordinal)) return text + " is there twice";
    taken_.set(ordinal);
    return "";
  }

 private:
  std::bitset<kRequestsPerSegmentMax + 1> taken_;
};

// Ascending, at least one, and taken.
Status check_list(const google::protobuf::RepeatedField<std::uint32_t>& list, Ordinals& ordinals, const std::string& path) {
  if (list.empty()) return invalid(path, "is empty");
  for (int i = 0; i < list.size(); ++i) {
    const std::string wrong = ordinals.take(list[i]);
    if (!wrong.empty()) return invalid(path, wrong);
    if (i > 0 && list[i] < list[i - 1]) return invalid(path, std::to_string(list[i]) + " is not in ascending order");
  }
  return done();
}

// Path and all: `requests[3].ordinal`.
Status check_ordinals(const Segment& segment, Ordinals& ordinals) {
  for (int i = 0; i < segment.requests_size(); ++i) {
    const std::uint32_t ordinal = segment.requests(i).ordinal();
    std::string wrong = ordinals.take(ordinal);
    if (wrong.empty() && i > 0 && ordinal < segment.requests(i - 1).ordinal()) {
      wrong = std::to_string(ordinal) + " is not in ascending order";
    }
    if (!wrong.empty()) return invalid(at("requests", i, "ordinal"), wrong);
  }
  return done();
}

Status check_forwarding(const SegmentId& id, const Segment& segment, Ordinals& ordinals) {
  std::vector<SegmentId> children;
  for (int i = 0; i < segment.forwarded_size(); ++i) {
    const Segment::Forwarding& entry = segment.forwarded(i);
    TRY(check_list(entry.ordinals(), ordinals, at("forwarded", i, "ordinals")));
    const SegmentId child = TRY(parse_segment_name(entry.child(), at("forwarded", i, "child")));
    TRY(parse_queue_name(entry.queue(), at("forwarded", i, "queue")));
    if (child == id) return invalid(at("forwarded", i, "child"), "is the segment itself");
    children.push_back(child);
  }
  std::ranges::sort(children);
  const auto twice = std::ranges::adjacent_find(children);
  if (twice != children.end()) return invalid("forwarded", object_name(*twice).str() + " is there twice");
  return done();
}

Status check_owner(const SegmentId& id, const Segment& segment) {
  const SegmentId origin = TRY(parse_segment_name(segment.origin(), "origin"));
  if (segment.requests().empty() && segment.owner().empty()) return done();
  const Owner owner = TRY(parse_owner(segment.owner()));
  if (!std::holds_alternative<SegmentId>(owner)) return done();
  if (std::get<SegmentId>(owner) == id) return invalid("owner", "is the segment itself");
  if (origin == id) return invalid("origin", "is the segment itself, though a split made it");
  return done();
}

Status check_segment(const SegmentId& id, const Segment& segment) {
  Ordinals ordinals;
  TRY(check_owner(id, segment));
  TRY(check_ordinals(segment, ordinals));
  return check_forwarding(id, segment, ordinals);
}

Status check_index(const Index& index) {
  Ordinals ordinals;
  for (int i = 0; i < index.places_size(); ++i) {
    TRY(check_list(index.places(i).ordinals(), ordinals, at("places", i, "ordinals")));
    TRY(parse_segment_name(index.places(i).segment(), at("places", i, "segment")));
  }
  return done();
}

Queue::Type stored_type(QueueType type) {
  switch (type) {
    case QueueType::kToTransfer: return Queue::TO_TRANSFER;
    case QueueType::kToReport: return Queue::TO_REPORT;
    case QueueType::kFailed: return Queue::FAILED;
  }
  return Queue::FAILED;
}

Status check_pointers(const Queue& queue) {
  if (queue.pointers_size() > kPointersMax) {
    return invalid("pointers", "there are " + std::to_string(queue.pointers_size()) + ", the most is " + std::to_string(kPointersMax));
  }
  std::vector<std::pair<SegmentId, std::uint64_t>> entries;
  entries.reserve(static_cast<std::size_t>(queue.pointers_size()));
  for (int i = 0; i < queue.pointers_size(); ++i) {
    const Result<SegmentId> segment = parse_segment_name(queue.pointers(i).segment());
    if (!segment.ok()) return invalid(at("pointers", i, "segment"), segment.error().message);
    if (queue.pointers(i).requests() > kRequestsPerSegmentMax) {
      return invalid(at("pointers", i, "requests"), "is over " + std::to_string(kRequestsPerSegmentMax));
    }
    if (queue.pointers(i).expects() == 0) return invalid(at("pointers", i, "expects"), "is no version");
    entries.emplace_back(segment.value(), queue.pointers(i).expects());
  }
  std::ranges::sort(entries);
  const auto twice = std::ranges::adjacent_find(entries);
  if (twice == entries.end()) return done();
  return invalid("pointers", object_name(twice->first).str() + " at version " + std::to_string(twice->second) + " is there twice");
}

Status check_queue(const QueueId& id, const Queue& queue) {
  if (queue.vid() != id.vid.str()) return invalid("vid", "is not that of the object's name");
  if (queue.type() != stored_type(id.type)) return invalid("type", "is not that of the object's name");
  if (queue.has_reservation()) {
    if (id.type == QueueType::kFailed) return invalid("reservation", "the failed queue has none");
    const Result<agents::AgentId> agent = agents::parse_agent(queue.reservation().agent());
    if (!agent.ok()) return invalid("reservation.agent", agent.error().message);
  }
  return check_pointers(queue);
}

Status check_mount(const Mount& mount) {
  const Result<agents::AgentId> agent = agents::parse_agent(mount.agent());
  if (!agent.ok()) return invalid("agent", agent.error().message);
  if (!is_well_formed_name(mount.drive())) return invalid("drive", "must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  if (mount.since_ms() < 0) return invalid("since_ms", "is before 1970");
  return done();
}

Error damaged(const ports::ObjectName& name, const Error& why) {
  return corrupt("object " + name.str() + ": " + why.field + ": " + why.message);
}

Status open(const ports::ObjectName& name, std::string_view bytes, google::protobuf::MessageLite& message) {
  return reclaim::stored::open(name.str(), kObjectsFormat, bytes, message);
}

std::string seal(const ports::ObjectName& name, const google::protobuf::MessageLite& message) {
  return reclaim::stored::seal(name.str(), kObjectsFormat, message);
}

std::uint64_t add_up_to_most(std::uint64_t sum, std::uint64_t more) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  return more > kMost - sum ? kMost : sum + more;
}

}  // namespace

Result<DecodedSegment> decode_segment(const SegmentId& id, std::string_view bytes) {
  DecodedSegment decoded;
  TRY(open(object_name(id), bytes, decoded.segment));
  const Status whole = check_segment(id, decoded.segment);
  if (!whole.ok()) return damaged(object_name(id), whole.error());
  if (decoded.segment.requests().empty()) decoded.segment.clear_owner();
  for (Request& request : *decoded.segment.mutable_requests()) {
    const Status checked = check_request(request);
    if (checked.ok()) continue;
    set_aside(request, checked.error());
    decoded.set_aside.push_back({.ordinal = request.ordinal(), .reason = checked.error().field + ": " + checked.error().message});
  }
  return decoded;
}

Result<Index> decode_index(const SegmentId& origin, std::string_view bytes) {
  Index index;
  TRY(open(index_name(origin), bytes, index));
  const Status whole = check_index(index);
  if (!whole.ok()) return damaged(index_name(origin), whole.error());
  return index;
}

Result<Queue> decode_queue(const QueueId& id, std::string_view bytes) {
  Queue queue;
  TRY(open(object_name(id), bytes, queue));
  const Status whole = check_queue(id, queue);
  if (!whole.ok()) return damaged(object_name(id), whole.error());
  return queue;
}

Result<Mount> decode_mount(const Vid& vid, std::string_view bytes) {
  Mount mount;
  TRY(open(mount_name(vid), bytes, mount));
  const Status whole = check_mount(mount);
  if (!whole.ok()) return damaged(mount_name(vid), whole.error());
  return mount;
}

Result<Damaged> decode_damaged(const SegmentId& id, std::string_view bytes) {
  Damaged set_aside;
  TRY(open(damaged_name(id), bytes, set_aside));
  return set_aside;
}

std::string encode(const SegmentId& id, const Segment& segment) { return seal(object_name(id), segment); }
std::string encode(const SegmentId& origin, const Index& index) { return seal(index_name(origin), index); }
std::string encode(const QueueId& id, const Queue& queue) { return seal(object_name(id), queue); }
std::string encode(const Vid& vid, const Mount& mount) { return seal(mount_name(vid), mount); }
std::string encode(const SegmentId& id, const Damaged& damaged) { return seal(damaged_name(id), damaged); }

const Request::Copy* active_copy(const Request& request) {
  if (request.active_copy() >= static_cast<std::uint32_t>(request.copies_size())) return nullptr;
  return &request.copies(static_cast<int>(request.active_copy()));
}

Queue::Pointer summarize(const SegmentId& id, ports::Version expects, const Segment& segment) {
  Queue::Pointer pointer;
  pointer.set_segment(object_name(id).str());
  pointer.set_expects(expects.number);
  pointer.set_requests(static_cast<std::uint32_t>(segment.requests_size()));
  bool first = true;
  for (const Request& request : segment.requests()) {
    pointer.set_bytes(add_up_to_most(pointer.bytes(), request.size()));
    if (first || request.created_ms() < pointer.oldest_ms()) pointer.set_oldest_ms(request.created_ms());
    if (first || request.priority() > pointer.priority_max()) pointer.set_priority_max(request.priority());
    const Request::Copy* copy = active_copy(request);
    if (copy != nullptr && (pointer.fseq_min() == 0 || copy->fseq() < pointer.fseq_min())) pointer.set_fseq_min(copy->fseq());
    if (request.kind() == Request::REPACK) pointer.set_repack(true);
    first = false;
  }
  return pointer;
}

Queue empty_queue(const QueueId& id) {
  Queue queue;
  queue.set_vid(id.vid.str());
  queue.set_type(stored_type(id.type));
  return queue;
}

}  // namespace reclaim::archive
