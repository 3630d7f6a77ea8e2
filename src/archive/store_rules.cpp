#include "archive/store_rules.hpp"

#include <algorithm>
#include <iterator>
#include <set>

namespace reclaim::archive {
namespace {

using Kind = Finding::Kind;
using Findings = std::vector<Finding>;

std::string str(const SegmentId& segment) { return object_name(segment).str(); }

// `17-42-3 and 4 more`
std::string in_words(const SegmentId& origin, const Ordinals& ordinals) {
  const std::string first = text_of(RequestId{.origin = origin, .ordinal = ordinals.front()});
  return ordinals.size() == 1 ? first : first + " and " + std::to_string(ordinals.size() - 1) + " more";
}

template <class Operation>
Ordinals combine(const Ordinals& left, const Ordinals& right, const Operation& operation) {
  Ordinals combined;
  operation(left, right, std::back_inserter(combined));
  return combined;
}

void judge_in_queue(const Facts& facts, const SegmentId& id, const SegmentFacts& segment, const QueueId& queue, Findings& findings) {
  const std::vector<ports::ObjectName> objects = {object_name(id), object_name(queue)};
  const std::string belongs = str(id) + " belongs to " + object_name(queue).str();
  if (!segment.misplaced.empty()) findings.push_back({Kind::kMisplaced, objects, belongs + ", but " + segment.misplaced});
  const auto found = facts.queues.find(queue);
  if (found == facts.queues.end()) {
    findings.push_back({Kind::kNoOwner, objects, belongs + ", which is not there"});
  } else if (!found->second.points_to(id)) {
    findings.push_back({Kind::kStranded, objects, belongs + ", which has no pointer to it"});
  }
}

void judge_with_agent(const Facts& facts, const SegmentId& id, const agents::AgentId& agent, Findings& findings) {
  const std::vector<ports::ObjectName> objects = {object_name(id), agent.object()};
  const std::string belongs = str(id) + " belongs to " + agent.str();
  const auto found = facts.agents.find(agent);
  if (found == facts.agents.end()) {
    findings.push_back({Kind::kNoOwner, objects, belongs + ", which is not there"});
  } else if (!std::ranges::binary_search(found->second.owned, id)) {
    findings.push_back({Kind::kUnlisted, objects, belongs + ", which does not list it"});
  }
}

// A child of a split: garbage until the source names it, and then on its way.
void judge_child(const Facts& facts, const SegmentId& id, const SegmentFacts& child, const SegmentId& source, Findings& findings) {
  const SegmentFacts* parent = facts.segment(source);
  const SegmentFacts::Forwarded* entry = parent == nullptr ? nullptr : parent->forwarding_to(id);
  if (entry == nullptr) {
    const std::string what = parent == nullptr ? "is not there" : "does not name it";
    findings.push_back({Kind::kGarbageChild,
                        {object_name(id), object_name(source)},
                        str(id) + " was to be split from " + str(source) + ", which " + what});
    return;
  }
  const Ordinals lost = combine(entry->ordinals, child.ordinals, std::ranges::set_difference);
  if (!lost.empty()) {
    findings.push_back({Kind::kLost,
                        {object_name(id), object_name(source)},
                        in_words(child.origin, lost) + " moved from " + str(source) + " to " + str(id) + ", which does not hold them"});
  }
  const auto queue = facts.queues.find(entry->queue);
  const bool is_expected = queue != facts.queues.end() && queue->second.expects(id, child.version);
  if (is_expected || facts.is_unreadable(object_name(entry->queue)) || facts.is_held(id) || facts.is_held(source)) return;
  findings.push_back({Kind::kStranded,
                      {object_name(id), object_name(source), object_name(entry->queue)},
                      str(id) + " is on its way from " + str(source) + " to " + object_name(entry->queue).str() +
                          ", which does not expect it, and no agent has it in hand"});
}

void judge_segment(const Facts& facts, const SegmentId& id, Findings& findings) {
  const SegmentFacts* segment = facts.segment(id);
  if (segment == nullptr) return;
  if (!segment->set_aside.empty()) findings.push_back({Kind::kUnreadable, {object_name(id)}, str(id) + ": " + segment->set_aside});
  if (segment->ordinals.empty() && segment->forwarded.empty()) {
    findings.push_back({Kind::kEmptySegment, {object_name(id)}, str(id) + " holds nothing"});
  }
  if (!segment->owner || facts.is_unreadable(object_name(*segment->owner))) return;
  if (const auto* queue = std::get_if<QueueId>(&*segment->owner)) return judge_in_queue(facts, id, *segment, *queue, findings);
  if (const auto* agent = std::get_if<agents::AgentId>(&*segment->owner)) return judge_with_agent(facts, id, *agent, findings);
  judge_child(facts, id, *segment, std::get<SegmentId>(*segment->owner), findings);
}

// Where `record` says that requests of `origin` went.
void judge_record(const Facts& facts, const ports::ObjectName& record, const SegmentId& origin, const SegmentId& to, Findings& findings) {
  if (facts.is_unreadable(object_name(to))) return;
  const SegmentFacts* segment = facts.segment(to);
  if (segment == nullptr) {
    findings.push_back({Kind::kDanglingRecord, {record, object_name(to)}, record.str() + " leads to " + str(to) + ", which is not there"});
  } else if (segment->origin != origin) {
    findings.push_back({Kind::kMisplaced,
                        {record, object_name(to)},
                        record.str() + " leads to " + str(to) + ", whose requests are of " + str(segment->origin)});
  }
}

// Whether all that went there has an index that counts more than the record.
bool is_overtaken(const Facts& facts, const SegmentId& origin, const Ordinals& ordinals) {
  const auto index = facts.indexes.find(origin);
  return index != facts.indexes.end() && std::ranges::all_of(ordinals, [&](std::uint16_t each) { return index->second.has(each); });
}

void judge_forwarding(const Facts& facts, const SegmentId& id, const SegmentFacts& segment, const SegmentFacts::Forwarded& entry,
                      Findings& findings) {
  if (facts.segment(entry.child) == nullptr && is_overtaken(facts, segment.origin, entry.ordinals)) return;
  judge_record(facts, object_name(id), segment.origin, entry.child, findings);
}

void judge_entry(const Facts& facts, const QueueId& id, const QueueFacts::Entry& entry, Findings& findings) {
  const auto& [to, expects] = entry;
  if (facts.is_unreadable(object_name(to))) return;
  const SegmentFacts* segment = facts.segment(to);
  const std::string says = object_name(id).str() + " has a pointer to " + str(to) + " at version " + std::to_string(expects);
  const std::vector<ports::ObjectName> objects = {object_name(id), object_name(to)};
  if (segment == nullptr) {
    findings.push_back({Kind::kDeadPointer, objects, says + ", which is not there"});
  } else if (segment->owner != Owner(id) && segment->version.number != expects) {
    const std::string owner = segment->owner ? "belongs to " + object_name(*segment->owner).str() : "is only forwarding";
    findings.push_back({Kind::kDeadPointer, objects, says + ", which " + owner + " at version " + std::to_string(segment->version.number)});
  }
}

void judge_reservation(const Facts& facts, const QueueId& id, const QueueFacts& queue, Findings& findings) {
  if (!queue.reserved_by || facts.is_there(Owner(*queue.reserved_by))) return;
  findings.push_back({Kind::kDeadReservation,
                      {object_name(id), queue.reserved_by->object()},
                      object_name(id).str() + " is reserved by " + queue.reserved_by->str() + ", which is not there"});
}

void judge_mount(const Facts& facts, const Vid& vid, const agents::AgentId& agent, Findings& findings) {
  if (facts.is_there(Owner(agent))) return;
  const ports::ObjectName name = mount_name(vid);
  findings.push_back({Kind::kDeadMount, {name, agent.object()}, name.str() + " is by " + agent.str() + ", which is not there"});
}

void judge_damaged(const DamagedId& id, const std::string& why, Findings& findings) {
  findings.push_back(
      {Kind::kDamaged, {damaged_name(id)}, former_name(id).str() + " was set aside as " + damaged_name(id).str() + ": " + why});
}

void judge_pair(const Facts& facts, const SegmentId& left, const SegmentId& right, Findings& findings) {
  const SegmentFacts* one = facts.segment(left);
  const SegmentFacts* other = facts.segment(right);
  if (one == nullptr || other == nullptr || one->origin != other->origin || !is_live(facts, left) || !is_live(facts, right)) return;
  const Ordinals both = combine(one->ordinals, other->ordinals, std::ranges::set_intersection);
  if (both.empty()) return;
  findings.push_back(
      {Kind::kTwice, {object_name(left), object_name(right)}, in_words(one->origin, both) + ", in " + str(left) + " and in " + str(right)});
}

// Pairs of segments that hold the same request: the origin's ordinals, each with the latest segment that was found to hold it.
std::set<std::pair<SegmentId, SegmentId>> overlaps(const Facts& facts) {
  std::map<SegmentId, std::vector<const SegmentId*>> holders;
  std::set<std::pair<SegmentId, SegmentId>> pairs;
  for (const auto& [id, segment] : facts.segments) {
    if (!is_live(facts, id)) continue;
    std::vector<const SegmentId*>& held = holders[segment.origin];
    for (const std::uint16_t ordinal : segment.ordinals) {
      if (held.size() <= ordinal) held.resize(std::size_t{ordinal} + 1);
      if (held[ordinal] != nullptr) pairs.emplace(*held[ordinal], id);
      held[ordinal] = &id;
    }
  }
  return pairs;
}

void judge_unreadable(const Facts& facts, const ports::ObjectName& name, Findings& findings) {
  const auto found = facts.unreadable.find(name);
  if (found != facts.unreadable.end()) findings.push_back({Kind::kUnreadable, {name}, found->second});
}

// All rules on one object by name, and on what it says of the second.
Findings judge_named(const Facts& facts, const ports::ObjectName& name, const ports::ObjectName& second) {
  Findings findings;
  judge_unreadable(facts, name, findings);
  const Result<SegmentId> to = parse_segment_name(second.str());
  if (const Result<SegmentId> id = parse_segment_name(name.str()); id.ok()) {
    judge_segment(facts, id.value(), findings);
    const SegmentFacts* segment = facts.segment(id.value());
    const SegmentFacts::Forwarded* entry = segment == nullptr || !to.ok() ? nullptr : segment->forwarding_to(to.value());
    if (entry != nullptr) judge_forwarding(facts, id.value(), *segment, *entry, findings);
    if (to.ok()) judge_pair(facts, id.value(), to.value(), findings);
  } else if (const Result<QueueId> queue = parse_queue_name(name.str()); queue.ok() && facts.queues.contains(queue.value())) {
    const QueueFacts& found = facts.queues.at(queue.value());
    judge_reservation(facts, queue.value(), found, findings);
    for (const QueueFacts::Entry& entry : found.entries) {
      if (to.ok() && entry.first == to.value()) judge_entry(facts, queue.value(), entry, findings);
    }
  } else if (const Result<SegmentId> origin = parse_index_name(name.str()); origin.ok() && facts.indexes.contains(origin.value())) {
    for (const IndexFacts::Place& place : facts.indexes.at(origin.value()).places) {
      if (to.ok() && place.segment == to.value()) judge_record(facts, name, origin.value(), place.segment, findings);
    }
  } else if (const Result<Vid> vid = parse_mount_name(name.str()); vid.ok() && facts.mounts.contains(vid.value())) {
    judge_mount(facts, vid.value(), facts.mounts.at(vid.value()), findings);
  } else if (const Result<DamagedId> damaged = parse_damaged(name.str()); damaged.ok() && facts.damaged.contains(damaged.value())) {
    judge_damaged(damaged.value(), facts.damaged.at(damaged.value()), findings);
  }
  return findings;
}

}  // namespace

bool is_live(const Facts& facts, const SegmentId& id) {
  const SegmentFacts* segment = facts.segment(id);
  if (segment == nullptr || !segment->owner) return false;
  const auto* source = std::get_if<SegmentId>(&*segment->owner);
  if (source == nullptr) return true;
  const SegmentFacts* parent = facts.segment(*source);
  return parent != nullptr && parent->forwarding_to(id) != nullptr;
}

std::vector<Finding> judge(const Facts& facts) {
  Findings findings;
  for (const auto& [name, why] : facts.unreadable) judge_unreadable(facts, name, findings);
  for (const auto& [id, segment] : facts.segments) {
    judge_segment(facts, id, findings);
    for (const SegmentFacts::Forwarded& entry : segment.forwarded) judge_forwarding(facts, id, segment, entry, findings);
  }
  for (const auto& [left, right] : overlaps(facts)) judge_pair(facts, left, right, findings);
  for (const auto& [id, queue] : facts.queues) {
    judge_reservation(facts, id, queue, findings);
    for (const QueueFacts::Entry& entry : queue.entries) judge_entry(facts, id, entry, findings);
  }
  for (const auto& [origin, index] : facts.indexes) {
    for (const IndexFacts::Place& place : index.places) judge_record(facts, index_name(origin), origin, place.segment, findings);
  }
  for (const auto& [vid, agent] : facts.mounts) judge_mount(facts, vid, agent, findings);
  for (const auto& [id, why] : facts.damaged) judge_damaged(id, why, findings);
  return findings;
}

std::optional<Finding> judge_again(const Facts& facts, const Finding& finding) {
  const ports::ObjectName& second = finding.objects.size() > 1 ? finding.objects[1] : finding.objects[0];
  for (Finding& found : judge_named(facts, finding.objects[0], second)) {
    if (found.kind == finding.kind && found.objects == finding.objects) return std::move(found);
  }
  return std::nullopt;
}

std::vector<ports::ObjectName> neighbours(const Facts& facts, const Finding& finding) {
  std::vector<ports::ObjectName> names = finding.objects;
  for (const ports::ObjectName& name : finding.objects) {
    const Result<SegmentId> id = parse_segment_name(name.str());
    const SegmentFacts* segment = id.ok() ? facts.segment(id.value()) : nullptr;
    if (segment != nullptr && segment->owner && std::holds_alternative<SegmentId>(*segment->owner))
      names.push_back(object_name(*segment->owner));
    if (segment != nullptr && finding.kind == Kind::kDanglingRecord) names.push_back(index_name(segment->origin));
  }
  return names;
}

}  // namespace reclaim::archive
