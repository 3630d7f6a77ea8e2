#include "archive/failed.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/leave_out.hpp"
#include "archive/locate.hpp"
#include "archive/placement.hpp"
#include "archive/queues.hpp"
#include "archive/split.hpp"

namespace reclaim::archive {
namespace {

using stored::Request;

constexpr int kAttempts = 16;                // each that fails saw the request somewhere else
constexpr std::size_t kSegmentsAtOnce = 16;  // in memory: up to some megabytes each
constexpr std::int64_t kDayMs = 24 * 3600 * 1000L;

// Where a page ended: `V1/17-42/3`.
struct Cursor {
  std::optional<Vid> vid = {};
  SegmentId segment = {};
  std::uint32_t ordinal = 0;
};

std::string text_of(const Vid& vid, const SegmentId& segment, std::uint32_t ordinal) {
  return vid.str() + "/" + object_name(segment).key + "/" + std::to_string(ordinal);
}

Result<Cursor> parse_cursor(const std::string& text) {
  if (text.empty()) return Cursor{};
  Error wrong = invalid("after", "is not what a page of failed requests ended with");
  const std::size_t first = text.find('/');
  const std::size_t last = text.rfind('/');
  if (first == std::string::npos || last == first) return wrong;
  const Result<Vid> vid = parse_name<Vid>(text.substr(0, first), "after");
  const Result<SegmentId> segment = parse_segment_name("segment" + text.substr(first, last - first));
  if (!vid.ok() || !segment.ok()) return wrong;
  Cursor cursor{.vid = vid.value(), .segment = segment.value()};
  const char* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data() + last + 1, end, cursor.ordinal);
  if (failure != std::errc() || rest != end) return wrong;
  return cursor;
}

// One page, queue by queue.
class FailedPage {
 public:
  FailedPage(ports::ObjectStore& store, Cursor from, std::size_t limit) : store_(store), from_(std::move(from)), limit_(limit) {}

  bool is_full() const { return page.requests.size() >= limit_; }

  Status add_queue(const Vid& vid) {
    const bool is_first = from_.vid == vid;
    const auto queue = read_queue(store_, {vid, QueueType::kFailed});
    if (!queue.ok() && queue.error().kind == Error::Kind::kCorrupt) return done();
    if (!queue.ok()) return queue.error();
    if (!queue.value()) return done();
    std::set<SegmentId> distinct;
    for (const stored::Queue::Pointer& entry : queue.value()->pointers()) distinct.insert(TRY(parse_segment_name(entry.segment())));
    std::vector<SegmentId> segments(distinct.begin(), distinct.end());
    if (is_first) std::erase_if(segments, [&](const SegmentId& segment) { return segment < from_.segment; });
    for (std::size_t at = 0; at < segments.size() && !is_full(); at += kSegmentsAtOnce) {
      TRY(add_segments(vid, std::span(segments).subspan(at, std::min(kSegmentsAtOnce, segments.size() - at))));
    }
    return done();
  }

  RequestPage page;

 private:
  Status add_segments(const Vid& vid, std::span<const SegmentId> ids) {
    for (const SegmentReading& reading : read_each_segment(store_, ids)) {
      if (!reading.segment.ok() && reading.segment.error().kind == Error::Kind::kCorrupt) continue;
      if (!reading.segment.ok()) return reading.segment.error();
      const std::optional<SegmentAt>& at = reading.segment.value();
      if (!at || !at->is_owned_by(QueueId{vid, QueueType::kFailed})) continue;
      const std::uint32_t behind = from_.vid == vid && at->id == from_.segment ? from_.ordinal : 0;
      for (int place = 0; place < at->segment.requests_size() && !is_full(); ++place) {
        const std::uint32_t ordinal = at->segment.requests(place).ordinal();
        if (ordinal <= behind) continue;
        page.requests.push_back(shown(*at, place));
        page.next = text_of(vid, at->id, ordinal);
      }
    }
    return done();
  }

  ports::ObjectStore& store_;
  Cursor from_;
  std::size_t limit_;
};

// Tapes that have a failed queue, by the queues' keys; from that tape on.
Result<std::vector<Vid>> tapes_with_failed(ports::ObjectStore& store, const std::optional<Vid>& from) {
  std::vector<Vid> vids;
  const std::vector<std::string> keys = TRY(store.list_all("queue"));
  const std::string first = from ? object_name(QueueId{*from, QueueType::kFailed}).key : "";
  for (const std::string& key : keys) {
    const Result<QueueId> id = parse_queue_name("queue/" + key);
    if (id.ok() && id.value().type == QueueType::kFailed && key >= first) vids.push_back(id.value().vid);
  }
  return vids;
}

struct Found {
  SegmentAt at;
  int place = 0;
  QueueId queue;

  Request& request() { return *at.segment.mutable_requests(place); }
};

// Nothing: it was on its way there, and has arrived now.
Result<std::optional<Found>> find_failed(Hand& hand, const RequestId& id) {
  const std::optional<Located> located = TRY(locate(hand.store(), id));
  if (!located) return not_found("no retrieve " + archive::text_of(id));
  const Owner owner = TRY(parse_owner(located->segment->segment.owner()));
  if (const auto* source = std::get_if<SegmentId>(&owner)) {
    TRY(finish_splits(hand.store(), *source));
    return std::optional<Found>();
  }
  const auto* queue = std::get_if<QueueId>(&owner);
  if (queue == nullptr || queue->type != QueueType::kFailed) {
    return conflict("retrieve " + archive::text_of(id) + " is " + std::string(name_of(shown(*located->segment, located->place).state)) +
                    ", it is not in the failed queue");
  }
  return std::optional(Found{*located->segment, located->place, *queue});
}

// The request as it begins the next round, and where it goes.
Result<QueueId> begin_anew(Hand& hand, const Context& context, Found& found, std::int64_t now_ms) {
  Request& request = found.request();
  if (!request.set_aside().empty()) return conflict("it was set aside because it could not be read: " + request.errors(0));
  request.set_round(request.round() + 1);
  request.clear_failed_ms();
  request.set_reported(false);
  if (request.state() == Request::TRANSFERRED) {
    request.mutable_attempts()->set_report(0);
    const Request::Copy* copy = active_copy(request);
    return QueueId{copy == nullptr ? found.queue.vid : Vid(copy->vid()), QueueType::kToReport};
  }
  request.clear_attempts();
  request.clear_final_attempt();
  request.clear_cancel_asked();
  for (Request::Copy& copy : *request.mutable_copies()) copy.clear_failed();
  request.set_state(Request::QUEUED);
  stored::Segment alone;
  *alone.add_requests() = request;
  const TapeStandings tapes = TRY(look_at_tapes(context, hand.store(), tapes_of(alone)));
  const std::optional<std::uint32_t> best = best_copy(request, tapes, now_ms / kDayMs);
  if (!best) return conflict("no tape can serve file " + request.file() + ": " + why_none(request, tapes));
  request.set_active_copy(*best);
  return QueueId{Vid(request.copies(static_cast<int>(*best)).vid()), QueueType::kToTransfer};
}

Error restless(const RequestId& id) { return unavailable("retrieve " + archive::text_of(id) + " did not come to rest"); }

}  // namespace

Result<RequestPage> list_failed(ports::ObjectStore& store, const std::optional<Vid>& vid, const std::string& after, std::size_t limit) {
  Cursor from = TRY(parse_cursor(after));
  const std::vector<Vid> vids = vid ? std::vector{*vid} : TRY(tapes_with_failed(store, from.vid));
  FailedPage failed(store, std::move(from), limit);
  for (const Vid& each : vids) {
    TRY(failed.add_queue(each));
    if (failed.is_full()) return std::move(failed.page);
  }
  failed.page.next = "";
  return std::move(failed.page);
}

Result<ShownRequest> retry_failed(Hand& hand, const Context& context, const RequestId& id, std::int64_t now_ms) {
  for (int i = 0; i < kAttempts; ++i) {
    std::optional<Found> found = TRY(find_failed(hand, id));
    if (!found) continue;
    const QueueId to = TRY(begin_anew(hand, context, *found, now_ms));
    ShownRequest begun{.id = id,
                       .state = to.type == QueueType::kToTransfer ? RequestState::kQueued : RequestState::kReporting,
                       .request = found->request()};
    const Moved moved = TRY(part(hand, found->queue, std::move(found->at), std::span(&found->place, 1), Go{to}));
    if (moved == Moved::kDone) return begun;
  }
  return restless(id);
}

Result<ShownRequest> remove_failed(Hand& hand, const Context& context, const RequestId& id) {
  for (int i = 0; i < kAttempts; ++i) {
    std::optional<Found> found = TRY(find_failed(hand, id));
    if (!found) continue;
    ShownRequest removed = shown(found->at, found->place);
    const auto places = std::span(&found->place, 1);
    const bool is_out = TRY(leave_out(hand, context, found->queue, std::move(found->at), places, Ending::kRemoved));
    if (is_out) return removed;
  }
  return restless(id);
}

}  // namespace reclaim::archive
