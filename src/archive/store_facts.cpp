#include "archive/store_facts.hpp"

#include <algorithm>

#include "agents/records.hpp"
#include "base/printable.hpp"

namespace reclaim::archive {
namespace {

using stored::Request;

template <class List>
Ordinals ordinals_of(const List& list) {
  Ordinals ordinals;
  ordinals.reserve(static_cast<std::size_t>(list.size()));
  for (const std::uint32_t ordinal : list) ordinals.push_back(static_cast<std::uint16_t>(ordinal));
  return ordinals;
}

// Empty: the queue may hold it.
std::string why_misplaced(const QueueId& queue, const Request& request) {
  const std::string ordinal = "request " + std::to_string(request.ordinal());
  const bool is_queued = request.state() == Request::QUEUED;
  if (queue.type != QueueType::kToTransfer) return is_queued ? ordinal + " still waits for its transfer" : "";
  const Request::Copy* copy = active_copy(request);
  if (!is_queued || copy == nullptr || copy->vid() == queue.vid.str()) return "";
  return ordinal + " is to be read from " + copy->vid();
}

void count(const Request& request, StateCounts& states) {
  states.queued += request.state() == Request::QUEUED ? 1 : 0;
  states.transferred += request.state() == Request::TRANSFERRED ? 1 : 0;
  states.failed += request.state() == Request::FAILED ? 1 : 0;
}

// Whatever ends is delivered, failed or flagged by then; and what an operator has submitted anew may be on record for the round before.
bool may_have_ended(const Request& request) { return request.state() != Request::QUEUED || request.cancel_asked() || request.round() > 1; }

// The names in decoded objects are well formed: what fails here is a bug of the decoder.
Result<SegmentFacts> segment_facts(const SegmentId& id, const ports::Object& object) {
  const DecodedSegment decoded = TRY(decode_segment(id, object.bytes));
  const stored::Segment& segment = decoded.segment;
  SegmentFacts facts{.version = object.version};
  if (!segment.owner().empty()) facts.owner = TRY(parse_owner(segment.owner()));
  facts.origin = TRY(parse_segment_name(segment.origin()));
  facts.ordinals.reserve(static_cast<std::size_t>(segment.requests_size()));
  const QueueId* queue = facts.owner ? std::get_if<QueueId>(&*facts.owner) : nullptr;
  for (const Request& request : segment.requests()) {
    facts.ordinals.push_back(static_cast<std::uint16_t>(request.ordinal()));
    if (may_have_ended(request)) facts.may_have_ended.push_back(facts.ordinals.back());
    count(request, facts.states);
    if (queue != nullptr && facts.misplaced.empty()) facts.misplaced = why_misplaced(*queue, request);
  }
  for (const stored::Segment::Forwarding& entry : segment.forwarded()) {
    const SegmentId child = TRY(parse_segment_name(entry.child()));
    QueueId target = TRY(parse_queue_name(entry.queue()));
    facts.forwarded.push_back({.child = child, .queue = std::move(target), .ordinals = ordinals_of(entry.ordinals())});
  }
  if (!decoded.set_aside.empty()) {
    const SetAside& first = decoded.set_aside.front();
    facts.set_aside = "request " + std::to_string(first.ordinal) + ": " + first.reason;
  }
  return facts;
}

Result<QueueFacts> queue_facts(const QueueId& id, const ports::Object& object) {
  const stored::Queue queue = TRY(decode_queue(id, object.bytes));
  QueueFacts facts;
  for (const stored::Queue::Pointer& pointer : queue.pointers()) {
    facts.entries.emplace_back(TRY(parse_segment_name(pointer.segment())), pointer.expects());
  }
  std::ranges::sort(facts.entries);
  if (queue.has_reservation()) facts.reserved_by = TRY(agents::parse_agent(queue.reservation().agent()));
  return facts;
}

Result<AgentFacts> agent_facts(const ports::ObjectName& name, const ports::Object& object) {
  AgentFacts facts;
  for (const ports::ObjectName& owned : TRY(agents::owned_names(name, object.bytes))) {
    const Result<SegmentId> segment = parse_segment_name(owned.str());
    if (segment.ok()) facts.owned.push_back(segment.value());
  }
  std::ranges::sort(facts.owned);
  return facts;
}

Result<IndexFacts> index_facts(const SegmentId& origin, const ports::Object& object) {
  const stored::Index index = TRY(decode_index(origin, object.bytes));
  IndexFacts facts;
  for (const stored::Index::Place& place : index.places()) {
    facts.places.push_back({TRY(parse_segment_name(place.segment())), ordinals_of(place.ordinals())});
  }
  return facts;
}

Result<agents::AgentId> mount_facts(const Vid& vid, const ports::Object& object) {
  return agents::parse_agent(TRY(decode_mount(vid, object.bytes)).agent());
}

// What is of this room.
Status add_archived(Facts& facts, const ports::ObjectName& name, const ports::Object& object) {
  if (name.kind == "segment") {
    const SegmentId id = TRY(parse_segment_name(name.str()));
    facts.segments.insert_or_assign(id, TRY(segment_facts(id, object)));
  } else if (name.kind == "queue") {
    const QueueId id = TRY(parse_queue_name(name.str()));
    facts.queues.insert_or_assign(id, TRY(queue_facts(id, object)));
  } else if (name.kind == "index") {
    const SegmentId origin = TRY(parse_index_name(name.str()));
    facts.indexes.insert_or_assign(origin, TRY(index_facts(origin, object)));
  } else if (name.kind == "mount") {
    const Vid vid = TRY(parse_mount_name(name.str()));
    facts.mounts.insert_or_assign(vid, TRY(mount_facts(vid, object)));
  } else if (name.kind == "damaged") {
    const DamagedId id = TRY(parse_damaged(name.str()));
    facts.damaged.insert_or_assign(id, printable(TRY(decode_damaged(id, object.bytes)).reason()));
  }
  return done();
}

Status add_known(Facts& facts, const ports::ObjectName& name, const ports::Object& object) {
  if (name.kind == agents::kAgentKind) {
    const agents::AgentId id = TRY(agents::parse_agent(name.str()));
    facts.agents.insert_or_assign(id, TRY(agent_facts(name, object)));
  } else if (name.kind == agents::kBeatKind) {
    const agents::AgentId id = TRY(agents::parse_agent_key(name.key));
    TRY(agents::decode_beat(id, object.bytes));
  } else if (name == agents::root_name()) {
    TRY(agents::decode_root(object.bytes));
  } else {
    return add_archived(facts, name, object);
  }
  return done();
}

}  // namespace

const SegmentFacts::Forwarded* SegmentFacts::forwarding_to(const SegmentId& child) const {
  const auto found = std::ranges::find(forwarded, child, &Forwarded::child);
  return found == forwarded.end() ? nullptr : &*found;
}

bool QueueFacts::points_to(const SegmentId& segment) const {
  const auto found = std::ranges::lower_bound(entries, Entry{segment, 0});
  return found != entries.end() && found->first == segment;
}

bool QueueFacts::expects(const SegmentId& segment, ports::Version version) const {
  return std::ranges::binary_search(entries, Entry{segment, version.number});
}

bool IndexFacts::has(std::uint16_t ordinal) const {
  return std::ranges::any_of(places, [&](const Place& place) { return std::ranges::binary_search(place.ordinals, ordinal); });
}

void Facts::add(const ports::ObjectName& name, const ports::Object& object) {
  const Status added = add_known(*this, name, object);
  if (!added.ok()) unreadable.insert_or_assign(name, added.error().message);
}

const SegmentFacts* Facts::segment(const SegmentId& id) const {
  const auto found = segments.find(id);
  return found == segments.end() ? nullptr : &found->second;
}

bool Facts::is_there(const Owner& owner) const {
  if (is_unreadable(object_name(owner))) return true;
  if (const auto* queue = std::get_if<QueueId>(&owner)) return queues.contains(*queue);
  if (const auto* agent = std::get_if<agents::AgentId>(&owner)) return agents.contains(*agent);
  return segments.contains(std::get<SegmentId>(owner));
}

bool Facts::is_held(const SegmentId& id) const {
  return std::ranges::any_of(agents, [&](const auto& each) { return std::ranges::binary_search(each.second.owned, id); });
}

}  // namespace reclaim::archive
