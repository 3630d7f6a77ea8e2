#include "archive/sweep.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include "agents/census.hpp"
#include "archive/locate.hpp"
#include "archive/mounts.hpp"
#include "archive/objects.hpp"
#include "archive/queues.hpp"
#include "archive/rebuild.hpp"
#include "archive/stray.hpp"

namespace reclaim::archive {
namespace {

using agents::AgentId;

constexpr std::size_t kQueuesAtOnce = 64;
constexpr std::size_t kOthersInTurn = 16;   // segments that nothing speaks against, each pass
constexpr std::size_t kRecordsInTurn = 64;  // indexes, each pass
constexpr std::size_t kProblemsMax = 100;
constexpr Millis kStep{30'000};

bool is(const Error& error, Error::Kind kind) { return error.kind == kind; }

// Names that are no segment's, index's or queue's are left out: the check of the store tells of those.
template <class Id>
Result<std::vector<Id>> ids_of(ports::ObjectStore& store, const std::string& kind, Result<Id> (*parse)(std::string_view, std::string)) {
  std::vector<Id> ids;
  for (std::string& key : TRY(store.list_all(kind))) {
    Result<Id> id = parse(ports::ObjectName{kind, std::move(key)}.str(), kind);
    if (id.ok()) ids.push_back(std::move(id).value());
  }
  return ids;
}

}  // namespace

Result<SweepReport> Sweep::run(std::size_t budget) {
  TRY(hand_.check());
  report_ = {};
  budget_ = budget;
  const Sight sight = TRY(look());
  TRY(settle_segments(sight));
  TRY(drop_entries(sight));
  TRY(release_reservations(sight));
  TRY(remove_mounts());
  TRY(drop_records(sight));
  TRY(hand_.rest());
  return std::move(report_);
}

// Segments first, agents last: what is named by whoever moved it meanwhile is seen to be named.
Result<Sweep::Sight> Sweep::look() {
  Sight sight;
  hand_.progress(kStep);
  for (const SegmentId& id : TRY(ids_of(hand_.store(), "segment", &parse_segment_name))) sight.segments.insert(id);
  TRY(look_at_queues(sight));
  TRY(look_at_agents(sight));
  std::erase_if(quiet_, [&](const SegmentId& id) { return !sight.segments.contains(id); });
  return sight;
}

Status Sweep::look_at_queues(Sight& sight) {
  const std::vector<QueueId> ids = TRY(ids_of(hand_.store(), "queue", &parse_queue_name));
  for (std::size_t from = 0; from < ids.size(); from += kQueuesAtOnce) {
    hand_.progress(kStep);
    std::vector<ports::StoreCall> reads;
    for (std::size_t i = from; i < std::min(from + kQueuesAtOnce, ids.size()); ++i) reads.push_back(ports::read_call(object_name(ids[i])));
    const std::vector<ports::StoreAnswer> answers = hand_.store().run(reads);
    for (std::size_t i = 0; i < answers.size(); ++i) TRY(look_at_queue(sight, ids[from + i], answers[i]));
  }
  return done();
}

Status Sweep::look_at_queue(Sight& sight, const QueueId& id, const ports::StoreAnswer& answer) {
  const Result<stored::Queue> queue = answer.ok() ? decode_queue(id, answer.value().bytes) : answer.error();
  if (!queue.ok() && is(queue.error(), Error::Kind::kNotFound)) return done();
  if (!queue.ok() && is(queue.error(), Error::Kind::kCorrupt)) return mend_queue(sight, id, answer, queue.error());
  if (!queue.ok()) return queue.error();
  return note_queue(sight, id, queue.value());
}

Status Sweep::note_queue(Sight& sight, const QueueId& id, const stored::Queue& queue) {
  std::vector<SegmentId>& named = sight.queues[id];
  for (const auto& entry : queue.pointers()) named.push_back(TRY(parse_segment_name(entry.segment())));
  for (const SegmentId& segment : named) ++sight.entries[segment];
  if (!queue.has_reservation()) return done();
  if (named.empty()) sight.queues.erase(id);  // kept by its reservation
  sight.reservations.emplace_back(id, TRY(agents::parse_agent(queue.reservation().agent())));
  return done();
}

// One that cannot be read hinders no other; where not even its bytes can be had, nobody can mend it.
Status Sweep::mend_queue(Sight& sight, const QueueId& id, const ports::StoreAnswer& answer, const Error& why) {
  problem(why.message);
  if (!answer.ok()) return done();
  const Result<stored::Queue> rebuilt = rebuild_queue(hand_, id, answer.value(), why);
  if (!rebuilt.ok()) {
    problem(object_name(id).str() + " is not mended: " + rebuilt.error().message);
    return done();
  }
  ++report_.settled;
  return rebuilt.value().pointers().empty() ? done() : note_queue(sight, id, rebuilt.value());
}

Status Sweep::look_at_agents(Sight& sight) {
  hand_.progress(kStep);
  for (const agents::Listed& agent : TRY(agents::list_agents(hand_.store()))) {
    sight.agents.insert(agent.id);
    for (const ports::ObjectName& name : agent.owned) {
      const Result<SegmentId> segment = parse_segment_name(name.str());
      if (segment.ok()) sight.listed.insert(segment.value());
    }
  }
  return done();
}

// All that nothing names, and some of the others, from where the last pass ended.
Status Sweep::settle_segments(const Sight& sight) {
  std::set<SegmentId> due;
  for (const SegmentId& id : sight.segments) {
    if (!sight.listed.contains(id) && !sight.entries.contains(id) && !quiet_.contains(id)) due.insert(id);
  }
  std::size_t others = 0;
  auto next = sight.segments.upper_bound(next_segment_);
  for (; next != sight.segments.end() && others < kOthersInTurn; ++next) {
    next_segment_ = *next;
    if (!sight.listed.contains(*next) && due.insert(*next).second) ++others;
  }
  if (next == sight.segments.end()) next_segment_ = {};
  for (const SegmentId& id : due) {
    if (is_spent()) return done();
    TRY(count(object_name(id).str(), settle_segment(sight, id)));
  }
  return done();
}

Result<bool> Sweep::settle_segment(const Sight& sight, const SegmentId& id) {
  const Stray stray = TRY(settle_stray(hand_, estate_, id));
  if (stray != Stray::kForwarding) return stray == Stray::kSettled;
  const auto segment = TRY(read_segment(hand_.store(), id));
  if (!segment || !segment->segment.owner().empty()) return false;
  const bool written = TRY(settle_record(sight, *segment));
  if (!written) quiet_.insert(id);
  return written;
}

// Forwarding and nothing else. That of an origin leads to where its requests are, as long as they are there.
Result<bool> Sweep::settle_record(const Sight& sight, const SegmentAt& record) {
  const ports::ObjectName name = object_name(record.id);
  if (record.segment.origin() != name.str() && !record.segment.forwarded().empty()) {
    TRY(hand_.hold({name}));
    TRY(settle_forwarding(hand_.store(), record.id));
    hand_.let_go({name});
    return true;
  }
  stored::Segment kept = record.segment;
  kept.clear_forwarded();
  for (const auto& forwarding : record.segment.forwarded()) {
    const SegmentId child = TRY(parse_segment_name(forwarding.child()));
    if (!TRY(is_gone(sight, child))) *kept.add_forwarded() = forwarding;
  }
  if (kept.forwarded().empty()) return TRY(hand_.store().remove(name, record.version)), true;
  if (kept.forwarded_size() == record.segment.forwarded_size()) return false;
  TRY(hand_.store().replace(name, record.version, encode(record.id, kept)));
  return true;
}

// A segment that is not there any more: names are never used again.
Result<bool> Sweep::is_gone(const Sight& sight, const SegmentId& id) {
  if (sight.segments.contains(id)) return false;
  const Result<ports::Object> object = hand_.store().read(object_name(id));
  if (!object.ok() && !is(object.error(), Error::Kind::kNotFound)) return object.error();
  return !object.ok();
}

// What names a segment that is gone, or that others name, too, while nobody has it in hand; and queues that name nothing.
Status Sweep::drop_entries(const Sight& sight) {
  for (const auto& [queue, named] : sight.queues) {
    std::set<SegmentId> suspicious;
    for (const SegmentId& id : named) {
      const bool is_twice = sight.entries.at(id) > 1 && !sight.listed.contains(id);
      if (is_twice || !sight.segments.contains(id)) suspicious.insert(id);
    }
    if (suspicious.empty() && !named.empty()) continue;
    if (is_spent()) return done();
    const Result<std::size_t> left = tidy_queue(hand_.store(), queue, suspicious);
    TRY(count(object_name(queue).str(), left.ok() ? Result<bool>(left.value() < named.size() || named.empty()) : left.error()));
  }
  return done();
}

Status Sweep::release_reservations(const Sight& sight) {
  for (const auto& [queue, agent] : sight.reservations) {
    if (sight.agents.contains(agent)) continue;
    if (is_spent()) return done();
    TRY(count(object_name(queue).str(), release(queue, agent)));
  }
  return done();
}

Result<bool> Sweep::release(const QueueId& queue, const AgentId& agent) {
  Result<ports::Object> object = hand_.store().read(object_name(queue));
  if (!object.ok() && is(object.error(), Error::Kind::kNotFound)) return false;
  if (!object.ok()) return object.error();
  const stored::Queue now = TRY(decode_queue(queue, object.value().bytes));
  if (!now.has_reservation() || now.reservation().agent() != agent.str()) return false;
  const agents::Bequest bequest{.name = object_name(queue), .object = std::move(object).value()};
  const std::vector<Status> settled = estate_.settle(agent, std::span(&bequest, 1));
  TRY(settled.front());
  return true;
}

Status Sweep::remove_mounts() {
  for (const Mount& mount : TRY(list_mounts(hand_.store()))) {
    if (!mount.problem.empty()) problem(mount.problem);
    if (!mount.problem.empty()) continue;
    const Result<bool> is_held = archive::is_held(hand_.store(), mount);
    if (is_held.ok() && is_held.value()) continue;
    if (is_spent()) return done();
    const Status removed = is_held.ok() ? remove_mount(hand_.store(), mount) : Status(is_held.error());
    TRY(count(mount_name(mount.vid).str(), removed.ok() ? Result<bool>(true) : removed.error()));
  }
  return done();
}

Status Sweep::drop_records(const Sight& sight) {
  const std::vector<std::string> keys = TRY(hand_.store().list("index", next_record_, kRecordsInTurn));
  next_record_ = keys.size() < kRecordsInTurn ? "" : keys.back();
  for (const std::string& key : keys) {
    const Result<SegmentId> origin = parse_index_name("index/" + key);
    if (!origin.ok()) continue;
    if (is_spent()) return done();
    TRY(count("index/" + key, drop_places(sight, origin.value())));
  }
  return done();
}

Result<bool> Sweep::drop_places(const Sight& sight, const SegmentId& origin) {
  const ports::ObjectName name = index_name(origin);
  const Result<ports::Object> object = hand_.store().read(name);
  if (!object.ok() && is(object.error(), Error::Kind::kNotFound)) return false;
  if (!object.ok()) return object.error();
  const stored::Index index = TRY(decode_index(origin, object.value().bytes));
  stored::Index kept = index;
  kept.clear_places();
  for (const auto& place : index.places()) {
    const SegmentId segment = TRY(parse_segment_name(place.segment()));
    if (!TRY(is_gone(sight, segment))) *kept.add_places() = place;
  }
  if (kept.places_size() == index.places_size()) return false;
  if (kept.places().empty()) return TRY(hand_.store().remove(name, object.value().version)), true;
  TRY(hand_.store().replace(name, object.value().version, encode(origin, kept)));
  return true;
}

Status Sweep::count(const std::string& what, const Result<bool>& settled) {
  --budget_;
  if (settled.ok()) {
    report_.settled += settled.value() ? 1 : 0;
    return done();
  }
  if (is(settled.error(), Error::Kind::kFenced)) return settled.error();
  problem(what + ": " + settled.error().message);
  return done();
}

bool Sweep::is_spent() {
  hand_.progress(kStep);
  if (budget_ == 0) report_.more = true;
  return budget_ == 0;
}

void Sweep::problem(const std::string& text) {
  if (report_.problems.size() < kProblemsMax) report_.problems.push_back(text);
}

}  // namespace reclaim::archive
