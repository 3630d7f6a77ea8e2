#include "archive/requests.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

#include "archive/ended.hpp"
#include "archive/locate.hpp"
#include "archive/queues.hpp"

namespace reclaim::archive {
namespace {

using stored::Request;
using stored::Segment;

constexpr std::string_view kSegmentKind = "segment";
constexpr std::size_t kSegmentsAtOnce = 16;    // in memory: up to some megabytes each
constexpr std::size_t kSegmentsOfAPage = 512;  // looked at for one page
constexpr std::int64_t kEndedOfAPage = 10'000;

RequestState state_of(const Segment& segment, const Request& request) {
  const Result<Owner> owner = parse_owner(segment.owner());
  const auto* queue = owner.ok() ? std::get_if<QueueId>(&owner.value()) : nullptr;
  if (queue != nullptr && queue->type == QueueType::kFailed) return RequestState::kFailed;
  if (request.state() != Request::QUEUED) return RequestState::kReporting;
  return owner.ok() && std::holds_alternative<agents::AgentId>(owner.value()) ? RequestState::kTransferring : RequestState::kQueued;
}

// Nothing for what its requester or an operator did away with: nobody is shown that.
std::optional<ShownRequest> shown(const EndedRequest& one) {
  if (one.ended.how != Ending::kDone) return std::nullopt;
  const bool has_failed = one.ended.request.state() == Request::FAILED;
  return ShownRequest{.id = one.ended.id,
                      .state = has_failed ? RequestState::kFailed : RequestState::kDone,
                      .reported = one.ended.reported,
                      .request = one.ended.request};
}

// Where a page ended: `s.17-42.3` behind that request of the segment, `e.17-42-3` behind that one of those that have ended.
struct Cursor {
  std::string segment = {};
  std::uint32_t ordinal = 0;
  std::optional<std::string> ended = {};
};

std::string text_of(const std::string& segment, std::uint32_t ordinal) { return "s." + segment + "." + std::to_string(ordinal); }

Result<Cursor> parse_cursor(const std::string& text) {
  Error wrong = invalid("after", "is not what a page of requests ended with");
  if (text.empty()) return Cursor{};
  if (text.starts_with("e.")) return Cursor{.ended = text.substr(2)};
  const std::size_t dot = text.rfind('.');
  if (!text.starts_with("s.") || dot < 3) return wrong;
  Cursor cursor{.segment = text.substr(2, dot - 2)};
  const char* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data() + dot + 1, end, cursor.ordinal);
  if (failure != std::errc() || rest != end || !parse_segment_name("segment/" + cursor.segment).ok()) return wrong;
  return cursor;
}

struct Keys {
  std::vector<SegmentId> ids;
  std::string last = {};  // of those listed; empty: there are no more
};

// Names that are no segment's are left out: the check of the store tells of those.
Result<Keys> list_segments(ports::ObjectStore& store, const std::string& after, std::size_t limit) {
  Keys keys;
  const std::vector<std::string> listed = TRY(store.list(std::string(kSegmentKind), after, limit));
  for (const std::string& key : listed) {
    const Result<SegmentId> id = parse_segment_name("segment/" + key);
    if (id.ok()) keys.ids.push_back(id.value());
  }
  if (listed.size() == limit) keys.last = listed.back();
  return keys;
}

// One page of what is in the store.
class StorePage {
 public:
  StorePage(ports::ObjectStore& store, const RequestFilter& filter, std::size_t limit) : store_(store), filter_(filter), limit_(limit) {}

  // True: there are no more segments.
  Result<bool> read(const Cursor& from) {
    if (!from.segment.empty()) {
      const SegmentId id = TRY(parse_segment_name("segment/" + from.segment));
      TRY(look_at(std::span(&id, 1), from.ordinal));
    }
    std::string after = from.segment;
    for (std::size_t looked = 0; looked < kSegmentsOfAPage && !is_full(); looked += kSegmentsAtOnce) {
      const Keys keys = TRY(list_segments(store_, after, kSegmentsAtOnce));
      TRY(look_at(keys.ids, 0));
      if (is_full()) break;
      if (keys.last.empty()) return true;
      after = keys.last;
      page.next = text_of(after, kRequestsPerSegmentMax);
    }
    return false;
  }

  RequestPage page;

 private:
  bool is_full() const { return page.requests.size() >= limit_; }

  Status look_at(std::span<const SegmentId> ids, std::uint32_t after_ordinal) {
    for (const SegmentReading& reading : read_each_segment(store_, ids)) {
      if (!reading.segment.ok() && reading.segment.error().kind == Error::Kind::kCorrupt) continue;
      if (!reading.segment.ok()) return reading.segment.error();
      const std::optional<SegmentAt>& at = reading.segment.value();
      for (int place = 0; at && place < at->segment.requests_size() && !is_full(); ++place) {
        if (at->segment.requests(place).ordinal() <= after_ordinal) continue;
        ShownRequest request = archive::shown(*at, place);
        if (!filter_.takes(request)) continue;
        page.next = text_of(object_name(at->id).key, request.request.ordinal());
        page.requests.push_back(std::move(request));
      }
    }
    return done();
  }

  ports::ObjectStore& store_;
  const RequestFilter& filter_;
  std::size_t limit_;
};

Status add_ended(const Context& context, const RequestFilter& filter, const std::string& after, std::size_t limit, RequestPage& page) {
  const std::int64_t asked = std::min(static_cast<std::int64_t>(limit), kEndedOfAPage);
  const std::vector<EndedRequest> ended = TRY(list_ended(context, after, asked));
  page.next = "";
  for (const EndedRequest& one : ended) {
    if (page.requests.size() >= limit) return done();
    page.next = "e." + archive::text_of(one.ended.id);
    std::optional<ShownRequest> request = shown(one);
    if (request && filter.takes(*request)) page.requests.push_back(*std::move(request));
  }
  if (static_cast<std::int64_t>(ended.size()) < asked) page.next = "";
  return done();
}

using Matches = std::function<bool(const Request&)>;

bool any_of(const Segment& segment, const Matches& matches) { return std::ranges::any_of(segment.requests(), matches); }

// What is split while one looks goes to segments of fresh names: those that the list has passed already are read one by one.
Result<bool> any_request(ports::ObjectStore& store, const Matches& matches) {
  std::string after;
  for (bool is_last = false; !is_last;) {
    Keys keys = TRY(list_segments(store, after, kSegmentsAtOnce));
    is_last = keys.last.empty();
    std::vector<SegmentId> wanted = std::move(keys.ids);
    while (!wanted.empty()) {
      const std::size_t rest = wanted.size() - std::min(wanted.size(), kSegmentsAtOnce);
      const auto found = TRY(read_segments(store, std::span(wanted).subspan(rest)));
      wanted.resize(rest);
      for (const std::optional<SegmentAt>& at : found) {
        if (!at) continue;
        if (any_of(at->segment, matches)) return true;
        for (const Segment::Forwarding& entry : at->segment.forwarded()) {
          const SegmentId child = TRY(parse_segment_name(entry.child()));
          if (is_last || object_name(child).key <= keys.last) wanted.push_back(child);
        }
      }
    }
    after = keys.last;
  }
  return false;
}

// The quick way to a yes.
Result<bool> any_in_queues(ports::ObjectStore& store, const Vid& vid, const Matches& matches) {
  for (const QueueType type : kQueueTypes) {
    const auto queue = TRY(read_queue(store, {vid, type}));
    if (!queue || queue->pointers().empty()) continue;
    const SegmentId first = TRY(parse_segment_name(queue->pointers(0).segment()));
    const auto at = TRY(read_segment(store, first));
    if (at && any_of(at->segment, matches)) return true;
  }
  return false;
}

}  // namespace

std::string_view name_of(RequestState state) {
  switch (state) {
    case RequestState::kQueued: return "queued";
    case RequestState::kTransferring: return "transferring";
    case RequestState::kReporting: return "reporting";
    case RequestState::kFailed: return "failed";
    case RequestState::kDone: return "done";
  }
  check(false, "unknown state of a request");
  return "";
}

ShownRequest shown(const SegmentAt& at, int place) {
  const Request& request = at.segment.requests(place);
  return {.id = {.origin = parse_segment_name(at.segment.origin()).value(), .ordinal = request.ordinal()},
          .state = state_of(at.segment, request),
          .reported = request.reported(),
          .request = request};
}

Result<ShownRequest> show_request(const Context& context, ports::ObjectStore& store, const RequestId& id) {
  const std::optional<Located> located = TRY(locate(store, id));
  if (located) return shown(*located->segment, located->place);
  const auto ended = TRY(find_ended(context, std::span(&id, 1)));
  std::optional<ShownRequest> found = ended.front() ? shown(*ended.front()) : std::nullopt;
  if (!found) return not_found("no retrieve " + text_of(id));
  return *std::move(found);
}

bool RequestFilter::takes(const ShownRequest& shown) const {
  const Request::Copy* copy = active_copy(shown.request);
  if (vid && (copy == nullptr || copy->vid() != vid->str())) return false;
  if (file && shown.request.file() != file->str()) return false;
  return !state || shown.state == *state;
}

Result<RequestPage> list_requests(const Context& context, ports::ObjectStore& store, const RequestFilter& filter, const std::string& after,
                                  std::size_t limit) {
  const Cursor cursor = TRY(parse_cursor(after));
  StorePage in_store(store, filter, limit);
  if (!cursor.ended) {
    const bool is_over = TRY(in_store.read(cursor));
    if (!is_over) return std::move(in_store.page);
    in_store.page.next = "e.";
    if (in_store.page.requests.size() >= limit) return std::move(in_store.page);
  }
  RequestPage page = std::move(in_store.page);
  TRY(add_ended(context, filter, cursor.ended.value_or(""), limit, page));
  return page;
}

Result<bool> tape_has_requests(ports::ObjectStore& store, const Vid& vid) {
  const Matches matches = [&](const Request& request) {
    return std::ranges::any_of(request.copies(), [&](const Request::Copy& copy) { return copy.vid() == vid.str(); });
  };
  const bool is_queued = TRY(any_in_queues(store, vid, matches));
  return is_queued ? Result<bool>(true) : any_request(store, matches);
}

Result<bool> file_has_requests(ports::ObjectStore& store, const FileId& file) {
  return any_request(store, [&](const Request& request) { return request.file() == file.str(); });
}

}  // namespace reclaim::archive
