#include "archive/queues.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "archive/segments.hpp"

namespace reclaim::archive {

namespace {

constexpr auto kConflict = Error::Kind::kConflict;
constexpr auto kNotFound = Error::Kind::kNotFound;

struct QueueAt {
  stored::Queue queue;
  std::optional<ports::Version> version;  // nothing: it is not there
};

Result<QueueAt> queue_in(const QueueId& id, const ports::StoreAnswer& answer) {
  if (answer.ok()) return QueueAt{TRY(decode_queue(id, answer.value().bytes)), answer.value().version};
  if (answer.error().kind == kNotFound) return QueueAt{empty_queue(id), std::nullopt};
  return answer.error();
}

Result<QueueAt> read_at(ports::ObjectStore& store, const QueueId& id) { return queue_in(id, store.read(object_name(id))); }

ports::StoreCall write_call(const QueueId& id, const QueueAt& at) {
  if (at.version) return ports::replace_call(object_name(id), *at.version, encode(id, at.queue));
  return ports::create_call(object_name(id), encode(id, at.queue));
}

Status write(ports::ObjectStore& store, const QueueId& id, const QueueAt& at) {
  const ports::StoreCall call = write_call(id, at);
  const std::vector<ports::StoreAnswer> answers = store.run(std::span(&call, 1));
  return TRY(answers.front()), done();
}

bool is_of(const stored::Queue::Pointer& entry, const SegmentId& segment, ports::Version expects) {
  return entry.expects() == expects.number && entry.segment() == object_name(segment).str();
}

}  // namespace

Status edit_queue(ports::ObjectStore& store, const QueueId& id, const QueueEdit& edit) {
  for (int attempt = 0; attempt < kEditAttempts; ++attempt) {
    QueueAt at = TRY(read_at(store, id));
    const Edited edited = TRY(edit(at.queue));
    if (edited == Edited::kNothing || (edited == Edited::kRemove && !at.version)) return done();
    Status written = edited == Edited::kRemove ? store.remove(object_name(id), *at.version) : write(store, id, at);
    if (written.ok()) return done();
    if (written.error().kind != kConflict && written.error().kind != kNotFound) return written;
  }
  return contended(object_name(id).str() + " was changed by others " + std::to_string(kEditAttempts) + " times in a row");
}

Result<std::optional<stored::Queue>> read_queue(ports::ObjectStore& store, const QueueId& id) {
  QueueAt at = TRY(read_at(store, id));
  if (!at.version) return std::optional<stored::Queue>();
  return std::optional<stored::Queue>(std::move(at.queue));
}

bool takes_entries(const stored::Queue& queue) { return queue.type() != stored::Queue::TO_TRANSFER || !queue.has_reservation(); }

void add_entry(stored::Queue& queue, const stored::Queue::Pointer& entry) {
  const bool is_there = std::any_of(queue.pointers().begin(), queue.pointers().end(), [&](const stored::Queue::Pointer& there) {
    return there.expects() == entry.expects() && there.segment() == entry.segment();
  });
  if (!is_there) *queue.add_pointers() = entry;
}

bool drop_entry(stored::Queue& queue, const SegmentId& segment, ports::Version expects) {
  auto& entries = *queue.mutable_pointers();
  const auto kept =
      std::remove_if(entries.begin(), entries.end(), [&](const stored::Queue::Pointer& entry) { return is_of(entry, segment, expects); });
  const bool dropped = kept != entries.end();
  entries.erase(kept, entries.end());
  return dropped;
}

namespace {

Status add_entries(stored::Queue& queue, const QueueId& to, std::span<const stored::Queue::Pointer> entries) {
  if (!takes_entries(queue)) return conflict(object_name(to).str() + " is under cleanup");
  for (const auto& entry : entries) add_entry(queue, entry);
  return done();
}

}  // namespace

Status announce(ports::ObjectStore& store, const QueueId& to, std::span<const stored::Queue::Pointer> entries) {
  return edit_queue(store, to, [&](stored::Queue& queue) -> Result<Edited> {
    TRY(add_entries(queue, to, entries));
    return Edited::kWrite;
  });
}

std::vector<Status> announce_all(ports::ObjectStore& store, std::span<const Announcement> announcements) {
  std::vector<ports::StoreCall> reads;
  reads.reserve(announcements.size());
  for (const Announcement& announcement : announcements) reads.push_back(ports::read_call(object_name(announcement.to)));
  const std::vector<ports::StoreAnswer> found = run_in_batches(store, reads);
  std::vector<Status> statuses(announcements.size());
  std::vector<ports::StoreCall> writes;
  std::vector<std::size_t> whose;
  for (std::size_t i = 0; i < announcements.size(); ++i) {
    const auto& [to, entries] = announcements[i];
    Result<QueueAt> at = queue_in(to, found[i]);
    statuses[i] = at.ok() ? add_entries(at.value().queue, to, entries) : Status(at.error());
    if (!statuses[i].ok()) continue;
    writes.push_back(write_call(to, at.value()));
    whose.push_back(i);
  }
  const std::vector<ports::StoreAnswer> written = run_in_batches(store, writes);
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (!written[i].ok()) statuses[whose[i]] = announce(store, announcements[whose[i]].to, announcements[whose[i]].entries);
  }
  return statuses;
}

Standing standing_of(const stored::Queue::Pointer& entry, const QueueId& queue, const std::optional<SegmentSeen>& seen) {
  if (!seen) return Standing::kDead;
  if (seen->owner == object_name(queue).str()) return Standing::kLive;
  return seen->version.number == entry.expects() ? Standing::kIncoming : Standing::kDead;
}

namespace {

// Segments are up to megabytes each: as many as fit into memory many times over.
constexpr std::size_t kSegmentsAtOnce = 64;

using Identity = std::pair<std::string, std::uint64_t>;  // segment and expected version

Identity identity_of(const stored::Queue::Pointer& entry) { return {entry.segment(), entry.expects()}; }

// Segments by name.
using Sight = std::map<std::string, std::optional<SegmentSeen>>;

Status look_at(ports::ObjectStore& store, const std::set<std::string>& segments, Sight& sight) {
  std::vector<SegmentId> ids;
  ids.reserve(segments.size());
  for (const std::string& segment : segments) ids.push_back(TRY(parse_segment_name(segment)));
  const auto found = TRY(read_segments(store, ids));
  for (std::size_t i = 0; i < found.size(); ++i) {
    std::optional<SegmentSeen>& seen = sight[object_name(ids[i]).str()];
    if (found[i]) seen = SegmentSeen{found[i]->segment.owner(), found[i]->version};
  }
  return done();
}

Result<Sight> look_at_segments_of(ports::ObjectStore& store, const stored::Queue& queue, const std::optional<std::set<SegmentId>>& only) {
  Sight sight;
  std::set<std::string> some;
  for (const auto& entry : queue.pointers()) {
    if (only && !only->contains(TRY(parse_segment_name(entry.segment())))) continue;
    some.insert(entry.segment());
    if (some.size() == kSegmentsAtOnce) TRY(look_at(store, std::exchange(some, {}), sight));
  }
  if (!some.empty()) TRY(look_at(store, some, sight));
  return sight;
}

// Entries that may go: dead ones, and of several live ones of one segment all but the last.
std::set<Identity> find_superfluous(const QueueId& id, const stored::Queue& queue, const Sight& sight) {
  std::set<Identity> superfluous;
  std::map<std::string, Identity> live;
  for (const auto& entry : queue.pointers()) {
    const auto seen = sight.find(entry.segment());
    if (seen == sight.end()) continue;
    const Standing standing = standing_of(entry, id, seen->second);
    if (standing == Standing::kDead) superfluous.insert(identity_of(entry));
    if (standing != Standing::kLive) continue;
    const auto [there, is_first] = live.try_emplace(entry.segment(), identity_of(entry));
    if (!is_first) superfluous.insert(std::exchange(there->second, identity_of(entry)));
  }
  return superfluous;
}

}  // namespace

Result<std::size_t> tidy_queue(ports::ObjectStore& store, const QueueId& id, const std::optional<std::set<SegmentId>>& only) {
  const auto queue = TRY(read_queue(store, id));
  if (!queue) return std::size_t{0};
  // What is dead stays dead, so that a queue which has changed since is judged rightly too; only what is new in it is not looked at.
  const std::set<Identity> superfluous = find_superfluous(id, *queue, TRY(look_at_segments_of(store, *queue, only)));
  std::size_t left = 0;
  TRY(edit_queue(store, id, [&](stored::Queue& now) -> Result<Edited> {
    auto& entries = *now.mutable_pointers();
    const int before = entries.size();
    const auto kept = std::remove_if(entries.begin(), entries.end(),
                                     [&](const stored::Queue::Pointer& entry) { return superfluous.contains(identity_of(entry)); });
    entries.erase(kept, entries.end());
    left = static_cast<std::size_t>(entries.size());
    if (left == 0 && !now.has_reservation()) return Edited::kRemove;
    return entries.size() == before ? Edited::kNothing : Edited::kWrite;
  }));
  return left;
}

}  // namespace reclaim::archive
