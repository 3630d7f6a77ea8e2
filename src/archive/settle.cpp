// What leads to requests, kept right while they move and end: the index of an origin, and forwarding (locate.hpp).
#include <algorithm>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "archive/locate.hpp"
#include "archive/objects.hpp"
#include "archive/places.hpp"
#include "archive/queues.hpp"
#include "archive/split.hpp"

namespace reclaim::archive {
namespace {

constexpr std::size_t kReadAtOnce = 16;
constexpr int kUnansweredMax = 3;

// ok: what is there has to be read again, and what is to be done decided again.
Status may_try_again(const Error& why, int& unanswered) {
  if (why.kind == Error::Kind::kConflict || why.kind == Error::Kind::kNotFound) return done();
  if (why.kind == Error::Kind::kUnavailable && ++unanswered < kUnansweredMax) return done();
  return why;
}

Error given_up(const ports::ObjectName& name) {
  return contended(name.str() + " was changed by others " + std::to_string(kEditAttempts) + " times in a row");
}

// What an edit has come to. What it left as it is because of what it read elsewhere is right only if the index was the same all the while:
// a segment may be gone because the index has moved on from it.
enum class IndexEdited { kWrite, kNothing, kNothingIfUnchanged };
// May be called again, on the index as it is then.
using IndexEdit = std::function<Result<IndexEdited>(stored::Index&)>;

Result<bool> is_still(ports::ObjectStore& store, const ports::ObjectName& name, const Result<ports::Object>& before) {
  const Result<ports::Object> now = store.read(name);
  if (!now.ok() && now.error().kind != Error::Kind::kNotFound) return now.error();
  return now.ok() == before.ok() && (!now.ok() || now.value().version == before.value().version);
}

Status edit_index(ports::ObjectStore& store, const SegmentId& origin, const IndexEdit& edit) {
  const ports::ObjectName name = index_name(origin);
  int unanswered = 0;
  for (int attempt = 0; attempt < kEditAttempts; ++attempt) {
    const Result<ports::Object> object = store.read(name);
    const bool is_there = object.ok();
    if (!is_there && object.error().kind != Error::Kind::kNotFound) return object.error();
    stored::Index index;
    if (is_there) index = TRY(decode_index(origin, object.value().bytes));
    const IndexEdited edited = TRY(edit(index));
    if (edited == IndexEdited::kNothing) return done();
    if (edited == IndexEdited::kNothingIfUnchanged) {
      if (TRY(is_still(store, name, object))) return done();
      continue;
    }
    ports::StoreCall call = ports::create_call(name, encode(origin, index));
    if (is_there) call = ports::replace_call(name, object.value().version, encode(origin, index));
    if (is_there && index.places().empty()) call = ports::remove_call(name, object.value().version);
    const ports::StoreAnswer answer = store.run(std::span(&call, 1)).front();
    if (answer.ok()) return done();
    TRY(may_try_again(answer.error(), unanswered));
  }
  return given_up(name);
}

// The children of a segment, by their places in forwarded(), when each belongs to its queue: only then may the segment stop naming them.
Result<std::vector<SegmentReading>> completed_children(ports::ObjectStore& store, const SegmentAt& source) {
  std::vector<SegmentId> ids;
  ids.reserve(static_cast<std::size_t>(source.segment.forwarded_size()));
  for (const auto& entry : source.segment.forwarded()) ids.push_back(TRY(parse_segment_name(entry.child())));
  for (int attempt = 0; attempt < kEditAttempts; ++attempt) {
    std::vector<SegmentReading> children;
    children.reserve(ids.size());
    for_each_reading(store, ids, kReadAtOnce, [&](std::size_t, SegmentReading reading) { children.push_back(std::move(reading)); });
    const bool is_pending = std::ranges::any_of(children, [&](const SegmentReading& child) {
      return child.segment.ok() && child.segment.value() && child.segment.value()->is_owned_by(source.id);
    });
    if (!is_pending) return children;
    TRY(finish_splits(store, source.id));
  }
  return given_up(object_name(source.id));
}

using Ways = std::map<std::uint32_t, SegmentId>;  // where each request went

// What a child does not hold or forward any more has ended, or the index is ahead of it. One that cannot be read may hold all.
Result<Ways> ways_from(ports::ObjectStore& store, const SegmentAt& source) {
  const std::vector<SegmentReading> children = TRY(completed_children(store, source));
  Ways ways;
  for (std::size_t i = 0; i < children.size(); ++i) {
    const auto& child = children[i].segment;
    if (!child.ok() && child.error().kind != Error::Kind::kCorrupt) return child.error();
    const auto& entry = source.segment.forwarded(static_cast<int>(i));
    for (const std::uint32_t ordinal : entry.ordinals()) {
      const bool has_passed =
          child.ok() && (!child.value() || (!place_in(child.value()->segment, ordinal) && !forwarded_to(child.value()->segment, ordinal)));
      if (!has_passed) ways.emplace(ordinal, TRY(parse_segment_name(entry.child())));
    }
  }
  return ways;
}

// Which of two places of a request it came to first.
class Order {
 public:
  explicit Order(ports::ObjectStore& store) : store_(store) {}

  // Whether it went from one to the other: the one then still forwards it.
  Result<bool> leads_to(SegmentId from, const SegmentId& to, std::uint32_t ordinal) {
    for (int step = 0; step < kStepsMax; ++step) {
      if (!seen_.contains(from)) seen_.emplace(from, TRY(read(from)));
      const std::optional<stored::Segment>& found = seen_.at(from);
      const auto next = found ? forwarded_to(*found, ordinal) : std::nullopt;
      if (!next) return false;
      if (*next == to) return true;
      from = *next;
    }
    return unavailable(object_name(from).str() + ": its forwarding does not come to an end");
  }

 private:
  // Its forwarding alone.
  Result<std::optional<stored::Segment>> read(const SegmentId& id) {
    auto found = TRY(read_segment(store_, id));
    if (!found) return std::optional<stored::Segment>();
    found->segment.clear_requests();
    return std::optional(std::move(found->segment));
  }

  ports::ObjectStore& store_;
  std::map<SegmentId, std::optional<stored::Segment>> seen_;
};

// The index goes forward only: what it says of a request gives way where the segment that is settled comes after it.
Result<IndexEdited> lead_on(ports::ObjectStore& store, const SegmentId& settled, const Ways& ways, stored::Index& index) {
  Order order(store);
  auto edited = IndexEdited::kNothing;
  for (const auto& [ordinal, child] : ways) {
    const auto place = place_of(index, ordinal);
    if (place == child) continue;
    if (place && *place != settled && !TRY(order.leads_to(*place, settled, ordinal))) {
      if (edited == IndexEdited::kNothing) edited = IndexEdited::kNothingIfUnchanged;
      continue;
    }
    put_place(index, ordinal, child);
    edited = IndexEdited::kWrite;
  }
  return edited;
}

ports::StoreCall write_of(const SegmentAt& read, const stored::Segment& after) {
  if (after.requests().empty() && after.forwarded().empty()) return ports::remove_call(object_name(read.id), read.version);
  return ports::replace_call(object_name(read.id), read.version, encode(read.id, after));
}

}  // namespace

Result<std::optional<SegmentAt>> settle_forwarding(ports::ObjectStore& store, const SegmentId& segment) {
  int unanswered = 0;
  for (int attempt = 0; attempt < kEditAttempts; ++attempt) {
    std::optional<SegmentAt> found = TRY(read_segment(store, segment));
    if (!found || found->segment.forwarded().empty() || found->segment.origin() == object_name(segment).str()) return found;
    const SegmentId origin = TRY(parse_segment_name(found->segment.origin()));
    const Ways ways = TRY(ways_from(store, *found));
    TRY(edit_index(store, origin, [&](stored::Index& index) { return lead_on(store, segment, ways, index); }));
    found->segment.clear_forwarded();
    const ports::StoreCall call = write_of(*found, found->segment);
    const ports::StoreAnswer answer = store.run(std::span(&call, 1)).front();
    if (answer.ok() && call.op == ports::StoreCall::Op::kRemove) return std::optional<SegmentAt>();
    if (answer.ok()) return std::optional(SegmentAt{segment, std::move(found->segment), answer.value().version});
    TRY(may_try_again(answer.error(), unanswered));
  }
  return given_up(object_name(segment));
}

Status forget(ports::ObjectStore& store, const SegmentId& origin, std::span<const std::uint32_t> ordinals) {
  std::vector<std::uint32_t> ended(ordinals.begin(), ordinals.end());
  std::ranges::sort(ended);
  TRY(edit_index(store, origin, [&](stored::Index& index) -> Result<IndexEdited> {
    return drop_places(index, ended) ? IndexEdited::kWrite : IndexEdited::kNothing;
  }));
  int unanswered = 0;
  for (int attempt = 0; attempt < kEditAttempts; ++attempt) {
    std::optional<SegmentAt> found = TRY(read_segment(store, origin));
    if (!found || !drop_forwarding(found->segment, ended)) return done();
    const ports::StoreCall call = write_of(*found, found->segment);
    const ports::StoreAnswer answer = store.run(std::span(&call, 1)).front();
    if (answer.ok()) return done();
    TRY(may_try_again(answer.error(), unanswered));
  }
  return given_up(object_name(origin));
}

}  // namespace reclaim::archive
