#include "archive/disperse.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "archive/locate.hpp"
#include "archive/move.hpp"
#include "archive/split.hpp"

namespace reclaim::archive {

namespace {

// What one dispersal comes to.
struct Planned {
  const Dispersal* wanted;
  std::size_t index;
  stored::Segment after;  // with what stays
  std::vector<Part> parts;
  std::vector<std::uint32_t> ended;  // ordinals
  Dispersed done = {};

  const SegmentId& id() const { return wanted->from.id; }
  bool goes_whole() const { return parts.size() == 1 && after.requests().empty(); }
  bool is_origin() const { return wanted->from.segment.origin() == object_name(id()).str(); }
};
using Plans = std::vector<Planned*>;

// Requests by where they go; names for the parts are drawn later, where a split needs them.
Planned plan(const Dispersal& wanted, std::size_t index) {
  Planned planned{&wanted, index, wanted.from.segment, {}, {}};
  planned.after.clear_requests();
  std::map<QueueId, Part> parts;
  for (std::size_t i = 0; i < wanted.ways.size(); ++i) {
    const stored::Request& request = wanted.from.segment.requests(static_cast<int>(i));
    if (std::holds_alternative<Stay>(wanted.ways[i])) {
      *planned.after.add_requests() = request;
    } else if (const auto* go = std::get_if<Go>(&wanted.ways[i])) {
      Part& part = parts.try_emplace(go->to, Part{{}, go->to, {}, wanted.not_before_ms}).first->second;
      part.requests.push_back(request);
    } else {
      planned.ended.push_back(request.ordinal());
    }
  }
  for (auto& [queue, part] : parts) planned.parts.push_back(std::move(part));
  return planned;
}

Status move_those(Hand& hand, const Plans& plans) {
  std::vector<WholeMove> moves;
  moves.reserve(plans.size());
  for (Planned* one : plans) {
    stored::Segment after = std::move(one->after);
    for (stored::Request& request : one->parts.front().requests) *after.add_requests() = std::move(request);
    moves.push_back({one->id(), one->wanted->from.version, std::move(after), one->parts.front().to, one->wanted->not_before_ms});
  }
  const std::vector<Moved> moved = TRY(move_whole(hand.store(), moves));
  for (std::size_t i = 0; i < plans.size(); ++i) plans[i]->done.moved = moved[i];
  return done();
}

Status split_those(Hand& hand, const Plans& plans) {
  std::vector<Split> splits;
  splits.reserve(plans.size());
  for (Planned* one : plans) splits.push_back({one->id(), one->wanted->from.version, std::move(one->after), std::move(one->parts)});
  std::vector<SplitDone> answers = TRY(split(hand.store(), splits));
  for (std::size_t i = 0; i < plans.size(); ++i) {
    plans[i]->done.moved = answers[i].moved;
    if (answers[i].source && !answers[i].source->segment.requests().empty()) plans[i]->done.rest = std::move(answers[i].source);
    if (answers[i].moved == Moved::kDone && !plans[i]->is_origin()) {
      plans[i]->done.rest = TRY(settle_forwarding(hand.store(), plans[i]->id()));
    }
  }
  return done();
}

ports::StoreCall write_of_rest(const Planned& one) {
  const ports::ObjectName name = object_name(one.id());
  const ports::Version at = one.wanted->from.version;
  if (one.after.requests().empty() && one.after.forwarded().empty()) return ports::remove_call(name, at);
  stored::Segment after = one.after;
  if (after.requests().empty()) after.clear_owner();
  return ports::replace_call(name, at, encode(one.id(), after));
}

// A write without an answer: what is there now?
Result<Dispersed> look_after_rest(ports::ObjectStore& store, const Planned& one, const Error& unknown) {
  auto found = TRY(read_segment(store, one.id()));
  if (found && found->version == one.wanted->from.version) return unknown;
  const bool was_to_go = one.after.requests().empty() && one.after.forwarded().empty();
  if (!found) return Dispersed{was_to_go ? Moved::kDone : Moved::kLost, {}};
  if (was_to_go || found->segment.SerializeAsString() != one.after.SerializeAsString()) return Dispersed{Moved::kLost, {}};
  return Dispersed{Moved::kDone, std::move(found)};
}

Result<Dispersed> outcome_of_rest(ports::ObjectStore& store, Planned& one, const ports::StoreAnswer& answer) {
  if (answer.ok()) {
    if (one.after.requests().empty()) return Dispersed{Moved::kDone, {}};
    return Dispersed{Moved::kDone, SegmentAt{one.id(), std::move(one.after), answer.value().version}};
  }
  const Error::Kind why = answer.error().kind;
  if (why == Error::Kind::kConflict || why == Error::Kind::kNotFound) return Dispersed{Moved::kLost, {}};
  if (why != Error::Kind::kUnavailable) return answer.error();
  return look_after_rest(store, one, answer.error());
}

// Those of which nothing goes anywhere: some or all have ended, or all stay.
Status write_those(Hand& hand, const Plans& plans) {
  std::vector<ports::StoreCall> calls;
  calls.reserve(plans.size());
  for (const Planned* one : plans) calls.push_back(write_of_rest(*one));
  const auto answers = run_in_batches(hand.store(), calls);
  for (std::size_t i = 0; i < plans.size(); ++i) plans[i]->done = TRY(outcome_of_rest(hand.store(), *plans[i], answers[i]));
  return done();
}

Status forget_ended(Hand& hand, const std::vector<Planned>& plans) {
  for (const Planned& one : plans) {
    if (one.done.moved != Moved::kDone || one.ended.empty() || one.is_origin()) continue;
    const SegmentId origin = TRY(parse_segment_name(one.wanted->from.segment.origin()));
    TRY(forget(hand.store(), origin, one.ended));
  }
  return done();
}

// The segments, and a name for each part of what is split.
std::vector<ports::ObjectName> names_of(Hand& hand, std::vector<Planned>& plans) {
  std::vector<ports::ObjectName> names;
  for (Planned& one : plans) {
    names.push_back(object_name(one.id()));
    if (one.goes_whole()) continue;
    for (Part& part : one.parts) {
      part.id = hand.fresh();
      names.push_back(object_name(part.id));
    }
  }
  return names;
}

// All but what stays in this agent's hands.
void let_go(Hand& hand, std::vector<ports::ObjectName> names, const std::vector<Planned>& plans) {
  std::set<ports::ObjectName> kept;
  for (const Planned& one : plans) {
    const bool stays = one.done.moved != Moved::kDone || one.done.rest.has_value();
    if (stays && one.wanted->from.is_owned_by(hand.owner())) kept.insert(object_name(one.id()));
  }
  std::erase_if(names, [&](const ports::ObjectName& name) { return kept.contains(name); });
  hand.let_go(names);
}

}  // namespace

Result<std::vector<Dispersed>> disperse(Hand& hand, std::span<const Dispersal> dispersals) {
  std::vector<Planned> plans;
  plans.reserve(dispersals.size());
  for (const Dispersal& wanted : dispersals) plans.push_back(plan(wanted, plans.size()));
  std::vector<ports::ObjectName> names = names_of(hand, plans);
  Plans whole;
  Plans apart;
  Plans plain;
  for (Planned& one : plans) {
    Plans& kind = one.goes_whole() ? whole : one.parts.empty() ? plain : apart;
    kind.push_back(&one);
  }
  TRY(hand.hold(names));
  if (!whole.empty()) TRY(move_those(hand, whole));
  if (!apart.empty()) TRY(split_those(hand, apart));
  if (!plain.empty()) TRY(write_those(hand, plain));
  TRY(forget_ended(hand, plans));
  let_go(hand, std::move(names), plans);
  std::vector<Dispersed> answers;
  answers.reserve(plans.size());
  for (Planned& one : plans) answers.push_back(std::move(one.done));
  return answers;
}

}  // namespace reclaim::archive
