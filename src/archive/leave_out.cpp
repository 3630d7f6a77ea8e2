#include "archive/leave_out.hpp"

#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "archive/figures.hpp"
#include "archive/queues.hpp"

namespace reclaim::archive {

Result<std::optional<SegmentAt>> flag(ports::ObjectStore& store, SegmentAt at, std::span<const int> places) {
  bool is_flagged = true;
  for (const int place : places) {
    stored::Request& request = *at.segment.mutable_requests(place);
    is_flagged = is_flagged && request.cancel_asked();
    request.set_cancel_asked(true);
  }
  if (is_flagged) return std::optional(std::move(at));
  const Result<ports::Version> written = store.replace(object_name(at.id), at.version, encode(at.id, at.segment));
  if (written.ok()) {
    at.version = written.value();
    return std::optional(std::move(at));
  }
  if (written.error().kind == Error::Kind::kConflict || written.error().kind == Error::Kind::kNotFound) return std::optional<SegmentAt>();
  return written.error();
}

Result<Moved> part(Hand& hand, const QueueId& queue, SegmentAt from, std::span<const int> places, const Way& way) {
  const SegmentId id = from.id;
  const auto count = static_cast<std::size_t>(from.segment.requests_size());
  Dispersal dispersal{.from = std::move(from), .ways = std::vector<Way>(count, Stay{})};
  for (const int place : places) dispersal.ways.at(static_cast<std::size_t>(place)) = way;
  const std::vector<Dispersed> dispersed = TRY(disperse(hand, std::span(&dispersal, 1)));
  if (dispersed.front().moved != Moved::kDone) return dispersed.front().moved;
  // Only hints are left to be written: what fails here is made good by whoever takes or tidies.
  if (dispersed.front().rest) {
    (void)write_figures(hand.store(), queue, *dispersed.front().rest);
  } else {
    (void)tidy_queue(hand.store(), queue, std::set<SegmentId>{id});
  }
  return Moved::kDone;
}

Result<bool> leave_out(Hand& hand, const Context& context, const QueueId& queue, SegmentAt from, std::span<const int> places, Ending how) {
  const SegmentId origin = TRY(parse_segment_name(from.segment.origin()));
  std::vector<Ended> ended;
  ended.reserve(places.size());
  for (const int place : places) {
    const stored::Request& request = from.segment.requests(place);
    ended.push_back({.id = {origin, request.ordinal()}, .how = how, .reported = request.reported(), .request = request});
  }
  TRY(hand.hold({object_name(from.id)}));
  const Status recorded = record_ended(context, ended);
  if (!recorded.ok()) {
    hand.let_go({object_name(from.id)});
    return recorded.error();
  }
  return TRY(part(hand, queue, std::move(from), places, End{})) == Moved::kDone;
}

}  // namespace reclaim::archive
