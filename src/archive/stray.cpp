#include "archive/stray.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "agents/census.hpp"
#include "archive/objects.hpp"
#include "archive/quarantine.hpp"
#include "archive/queues.hpp"
#include "archive/split.hpp"

namespace reclaim::archive {
namespace {

using agents::AgentId;

bool is(const Error& error, Error::Kind kind) { return error.kind == kind; }

// Of an agent that is not there: there never will be one of its epoch again.
Result<bool> settle_of(Hand& hand, agents::Estate& estate, const AgentId& owner, const SegmentId& id, ports::Object object) {
  const Result<ports::Object> agent = hand.store().read(owner.object());
  if (agent.ok()) return false;
  if (!is(agent.error(), Error::Kind::kNotFound)) return agent.error();
  const agents::Bequest bequest{.name = object_name(id), .object = std::move(object)};
  const std::vector<Status> settled = estate.settle(owner, std::span(&bequest, 1));
  TRY(settled.front());
  return true;
}

// Its queue had an entry for it at the moment at which it became the queue's, and has one as long as it is: if it has none now, and the
// segment is still the same afterwards, somebody dropped it who should not have.
Result<bool> announce_again(ports::ObjectStore& store, const SegmentAt& segment, const QueueId& queue) {
  const std::string name = object_name(segment.id).str();
  const auto there = TRY(read_queue(store, queue));
  const auto is_entry = [&](const stored::Queue::Pointer& entry) { return entry.segment() == name; };
  if (there && std::ranges::any_of(there->pointers(), is_entry)) return false;
  const auto again = TRY(read_segment(store, segment.id));
  if (!again || again->version != segment.version) return false;
  const auto entry = summarize(segment.id, segment.version, segment.segment);
  TRY(announce(store, queue, std::span(&entry, 1)));
  return true;
}

Result<bool> is_on_a_list(ports::ObjectStore& store, const ports::ObjectName& name) {
  const std::vector<agents::Listed> all = TRY(agents::list_agents(store));
  return std::ranges::any_of(all, [&](const agents::Listed& agent) {
    return !agent.unreadable.empty() || std::ranges::find(agent.owned, name) != agent.owned.end();
  });
}

// Its maker had it on its list before it was made, and until the split had committed or was abandoned.
Result<bool> settle_child(ports::ObjectStore& store, const SegmentId& id, const SegmentId& source) {
  if (TRY(finish_splits(store, source)) > 0) return true;
  if (TRY(is_on_a_list(store, object_name(id)))) return false;
  return discard_child(store, id);
}

Result<bool> settle_by_owner(Hand& hand, agents::Estate& estate, const SegmentAt& segment, ports::Object object) {
  const Owner owner = TRY(parse_owner(segment.segment.owner()));
  if (const auto* agent = std::get_if<AgentId>(&owner)) return settle_of(hand, estate, *agent, segment.id, std::move(object));
  if (const auto* queue = std::get_if<QueueId>(&owner)) return announce_again(hand.store(), segment, *queue);
  return settle_child(hand.store(), segment.id, std::get<SegmentId>(owner));
}

}  // namespace

Result<Stray> settle_stray(Hand& hand, agents::Estate& estate, const SegmentId& id) {
  Result<ports::Object> object = hand.store().read(object_name(id));
  if (!object.ok() && is(object.error(), Error::Kind::kNotFound)) return Stray::kInOrder;
  if (!object.ok()) return object.error();
  Result<DecodedSegment> decoded = decode_segment(id, object.value().bytes);
  if (!decoded.ok()) {
    TRY(quarantine(hand.store(), id, object.value(), decoded.error().message));
    return Stray::kSettled;
  }
  const SegmentAt segment{id, std::move(decoded).value().segment, object.value().version};
  if (segment.segment.owner().empty()) return Stray::kForwarding;
  const bool written = TRY(settle_by_owner(hand, estate, segment, std::move(object).value()));
  return written ? Stray::kSettled : Stray::kInOrder;
}

}  // namespace reclaim::archive
