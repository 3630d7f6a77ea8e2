#include "archive/estate.hpp"

#include <algorithm>
#include <iterator>
#include <string>

#include "archive/disperse.hpp"
#include "archive/locate.hpp"
#include "archive/mounts.hpp"
#include "archive/objects.hpp"
#include "archive/onward.hpp"
#include "archive/quarantine.hpp"
#include "archive/split.hpp"

namespace reclaim::archive {
namespace {

using agents::AgentId;
using agents::Bequest;

constexpr std::size_t kSegmentsAtOnce = 16;
constexpr std::size_t kGivenBackAtOnce = 64;
constexpr Millis kStep{30'000};

Status rewrite(ports::ObjectStore& store, const Bequest& bequest) {
  TRY(store.replace(bequest.name, bequest.object->version, bequest.object->bytes));
  return done();
}

Status status_of(const std::string& name, const Dispersed& dispersed) {
  if (dispersed.moved == Moved::kRefused) return conflict(name + ": a queue that it goes to takes nothing now");
  if (dispersed.moved == Moved::kLost) return conflict(name + " was changed meanwhile");
  return done();
}

}  // namespace

std::vector<Status> ArchiveEstate::settle(const AgentId& dead, std::span<const Bequest> bequests) {
  std::vector<Status> statuses;
  std::vector<Left> left;
  for (std::size_t i = 0; i < bequests.size(); ++i) {
    statuses.push_back(bequests[i].object ? settle_one(dead, bequests[i], i, left) : done());
  }
  for (const bool go_on : {true, false}) {
    std::vector<SegmentAt> segments;
    std::vector<std::size_t> places;
    const auto flush = [&] {
      const auto answers = disperse_all(std::exchange(segments, {}), go_on);
      for (std::size_t i = 0; i < places.size(); ++i) statuses[places[i]] = answers.ok() ? answers.value()[i] : Status(answers.error());
      places.clear();
    };
    for (Left& each : left) {
      if (each.goes_on != go_on) continue;
      places.push_back(each.index);
      segments.push_back(std::move(each.segment));
      if (segments.size() == kSegmentsAtOnce) flush();
    }
    if (!segments.empty()) flush();
  }
  return statuses;
}

Status ArchiveEstate::settle_one(const AgentId& dead, const Bequest& bequest, std::size_t index, std::vector<Left>& left) {
  TRY(hand_.check());
  hand_.progress(kStep);
  if (bequest.name.kind == "segment") return settle_segment(dead, bequest, index, left);
  if (bequest.name.kind == "queue") return settle_queue(dead, bequest);
  if (bequest.name.kind == "mount") return settle_mount(dead, bequest);
  return corrupt(bequest.name.str() + " is of a kind that this Reclaim does not know");
}

Status ArchiveEstate::settle_queue(const AgentId& dead, const Bequest& bequest) {
  const QueueId id = TRY(parse_queue_name(bequest.name.str()));
  stored::Queue queue = TRY(decode_queue(id, bequest.object->bytes));
  if (!queue.has_reservation() || queue.reservation().agent() != dead.str()) return rewrite(hand_.store(), bequest);
  queue.clear_reservation();
  if (queue.pointers().empty()) return hand_.store().remove(bequest.name, bequest.object->version);
  TRY(hand_.store().replace(bequest.name, bequest.object->version, encode(id, queue)));
  return done();
}

Status ArchiveEstate::settle_mount(const AgentId& dead, const Bequest& bequest) {
  const Vid vid = TRY(parse_name<Vid>(bequest.name.key, "mount"));
  const auto found = TRY(find_mount(hand_.store(), vid));
  if (!found || found->version != bequest.object->version) return conflict(bequest.name.str() + " was changed meanwhile");
  return found->agent == dead ? remove_mount(hand_.store(), *found) : rewrite(hand_.store(), bequest);
}

Status ArchiveEstate::settle_segment(const AgentId& dead, const Bequest& bequest, std::size_t index, std::vector<Left>& left) {
  const SegmentId id = TRY(parse_segment_name(bequest.name.str()));
  Result<DecodedSegment> decoded = decode_segment(id, bequest.object->bytes);
  if (!decoded.ok()) return quarantine(hand_.store(), id, *bequest.object, decoded.error().message);
  std::optional<SegmentAt> segment = SegmentAt{id, std::move(decoded).value().segment, bequest.object->version};
  if (!segment->segment.forwarded().empty()) {
    // What it forwards is followed first. It may be written on the way: it is read again before it is proved again that it may be written.
    TRY(hand_.hold({bequest.name}));
    TRY(finish_splits(hand_.store(), id));
    if (segment->segment.origin() != bequest.name.str()) TRY(settle_forwarding(hand_.store(), id));
    segment = TRY(read_segment(hand_.store(), id));
    hand_.let_go({bequest.name});
    if (!segment) return done();
  }
  if (segment->segment.owner().empty()) {
    if (segment->segment.forwarded().empty()) return hand_.store().remove(bequest.name, segment->version);
    return done();
  }
  const Owner owner = TRY(parse_owner(segment->segment.owner()));
  if (const auto* source = std::get_if<SegmentId>(&owner)) return settle_child(*segment, *source);
  if (const auto* agent = std::get_if<AgentId>(&owner); agent != nullptr && *agent != dead) {
    TRY(hand_.store().replace(bequest.name, segment->version, encode(id, segment->segment)));
    return done();
  }
  left.push_back({.index = index, .segment = std::move(*segment), .goes_on = std::holds_alternative<AgentId>(owner)});
  return done();
}

// It is rewritten only by becoming its queue's: the entry that waits for it there is good for this version.
Status ArchiveEstate::settle_child(const SegmentAt& child, const SegmentId& source) {
  const ports::ObjectName name = object_name(child.id);
  if (TRY(finish_splits(hand_.store(), source)) == 0 && TRY(discard_child(hand_.store(), child.id))) return done();
  const auto now = TRY(read_segment(hand_.store(), child.id));
  if (now && now->version == child.version) return conflict(name.str() + " is neither a part of its source nor free to go");
  return done();
}

Result<std::vector<Status>> ArchiveEstate::disperse_all(std::vector<SegmentAt> segments, bool go_on) {
  hand_.progress(kStep);
  std::vector<Onward> decided =
      TRY(go_on ? decide(context_(), hand_.store(), std::move(segments), std::nullopt) : decide_to_stay(context_(), std::move(segments)));
  std::vector<Status> statuses;
  std::vector<std::string> names;
  std::vector<Dispersal> dispersals;
  statuses.reserve(decided.size());
  names.reserve(decided.size());
  for (Onward& onward : decided) {
    names.push_back(object_name(onward.dispersal.from.id).str());
    statuses.push_back(onward.waits == 0 ? done() : Status(conflict(names.back() + " waits for tapes that are under cleanup")));
    if (onward.waits == 0) dispersals.push_back(std::move(onward.dispersal));
  }
  const std::vector<Dispersed> dispersed = TRY(disperse(hand_, dispersals));
  auto next = dispersed.begin();
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    if (statuses[i].ok()) statuses[i] = status_of(names[i], *next++);
  }
  return statuses;
}

namespace {

Status give_back_some(Hand& hand, agents::Estate& estate, std::span<const ports::ObjectName> names) {
  std::vector<ports::StoreCall> reads;
  reads.reserve(names.size());
  for (const ports::ObjectName& name : names) reads.push_back(ports::read_call(name));
  std::vector<Bequest> bequests;
  bequests.reserve(names.size());
  for (ports::StoreAnswer& answer : hand.store().run(reads)) {
    const bool is_there = answer.ok() || answer.error().kind != Error::Kind::kNotFound;
    bequests.push_back({names[bequests.size()], is_there ? std::optional(TRY(std::move(answer))) : std::nullopt});
  }
  TRY(hand.hold({}));
  const std::vector<Status> statuses = estate.settle(hand.id(), bequests);
  Status first;
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    if (statuses[i].ok()) hand.let_go({bequests[i].name});
    if (!statuses[i].ok() && first.ok()) first = statuses[i];
  }
  return first;
}

}  // namespace

Status give_back(Hand& hand, agents::Estate& estate, std::string_view kind) {
  std::vector<ports::ObjectName> names;
  std::ranges::copy_if(hand.held(), std::back_inserter(names), [&](const ports::ObjectName& name) { return name.kind == kind; });
  Status first;
  for (std::size_t from = 0; from < names.size(); from += kGivenBackAtOnce) {
    const Status given = give_back_some(hand, estate, std::span(names).subspan(from, std::min(kGivenBackAtOnce, names.size() - from)));
    if (!given.ok() && first.ok()) first = given;
  }
  return first;
}

}  // namespace reclaim::archive
