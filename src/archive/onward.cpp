#include "archive/onward.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "archive/ended.hpp"
#include "archive/placement.hpp"
#include "archive/queues.hpp"

namespace reclaim::archive {
namespace {

using stored::Request;

constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
constexpr std::size_t kTapesAtOnce = 10'000;
constexpr const char* kNoTape = "none";  // where a request is reported that was set aside, and neither it nor its neighbours name a tape

using Ids = std::set<RequestId>;

RequestId id_of(const SegmentAt& segment, const Request& request) {
  return {.origin = parse_segment_name(segment.segment.origin()).value(), .ordinal = request.ordinal()};
}

// Those that have ended, also those that end now because they were cancelled. Not one that an operator has submitted anew: a reporter that
// was paused may put it on record for the round before.
Result<Ids> ended_among(const Context& context, const std::vector<SegmentAt>& segments) {
  std::vector<RequestId> ids;
  std::vector<std::uint32_t> rounds;
  for (const SegmentAt& segment : segments) {
    for (const Request& request : segment.segment.requests()) {
      ids.push_back(id_of(segment, request));
      rounds.push_back(request.round());
    }
  }
  Ids ended;
  const auto found = TRY(find_ended(context, ids));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (found[i] && found[i]->ended.request.round() == rounds[i]) ended.insert(ids[i]);
  }
  std::vector<Ended> cancelled;
  for (const SegmentAt& segment : segments) {
    for (const Request& request : segment.segment.requests()) {
      if (!request.cancel_asked() || request.state() != Request::QUEUED) continue;
      const RequestId id = id_of(segment, request);
      if (ended.insert(id).second) cancelled.push_back({.id = id, .how = Ending::kCancelled, .reported = false, .request = request});
    }
  }
  if (!cancelled.empty()) TRY(record_ended(context, cancelled));
  return ended;
}

struct Sights {
  TapeStandings tapes;
  std::set<Vid> busy;  // under cleanup, which will end
};

Result<Sights> look(const Context& context, ports::ObjectStore& store, const std::set<Vid>& vids, const std::optional<Vid>& at) {
  Sights sights;
  for (auto from = vids.begin(); from != vids.end();) {
    std::set<Vid> some;
    for (; from != vids.end() && some.size() < kTapesAtOnce; ++from) some.insert(*from);
    sights.tapes.merge(TRY(look_at_tapes(context, store, some)));
  }
  for (const auto& [vid, standing] : sights.tapes) {
    if (!standing.is_reserved || vid == at) continue;
    const auto queue = read_queue(store, {vid, QueueType::kToTransfer});
    if (queue.ok()) sights.busy.insert(vid);  // one that cannot be read takes nothing until the sweep has mended it
  }
  return sights;
}

bool stays_at(const Request& request, const Vid& at, const TapeStandings& tapes) {
  const Request::Copy* copy = active_copy(request);
  if (request.state() != Request::QUEUED || copy == nullptr || copy->failed() || copy->vid() != at.str()) return false;
  const auto tape = tapes.find(at);
  return tape != tapes.end() && accepts(tape->second.state, request.kind());
}

bool waits(const Request& request, const Sights& sights, std::int64_t day) {
  if (request.state() != Request::QUEUED || sights.busy.empty()) return false;
  const bool may = std::ranges::any_of(request.copies(), [&](const Request::Copy& copy) {
    const Vid vid(copy.vid());
    return !copy.failed() && sights.busy.contains(vid) && accepts(sights.tapes.at(vid).state, request.kind());
  });
  return may && !best_copy(request, sights.tapes, day);
}

Vid some_tape_of(const stored::Segment& segment) {
  const std::set<Vid> vids = tapes_of(segment);
  return vids.empty() ? Vid(kNoTape) : *vids.begin();
}

Onward decide_one(SegmentAt segment, Sights& sights, const Ids& ended, std::int64_t day, const std::optional<Vid>& at) {
  Onward onward{.dispersal = {.from = std::move(segment), .ways = {}}};
  SegmentAt& from = onward.dispersal.from;
  const Vid home = at ? *at : some_tape_of(from.segment);
  for (Request& request : *from.segment.mutable_requests()) {
    std::vector<Way>& ways = onward.dispersal.ways;
    if (ended.contains(id_of(from, request))) {
      ways.emplace_back(End{});
      ++onward.ended;
    } else if (at && stays_at(request, *at, sights.tapes)) {
      ways.emplace_back(Stay{});
      ++onward.stays;
    } else if (waits(request, sights, day)) {
      ways.emplace_back(Stay{});
      ++onward.waits;
    } else {
      const bool was_queued = request.state() == Request::QUEUED;
      ways.emplace_back(Go{send_on(request, sights.tapes, day, home)});
      onward.requeued += request.state() == Request::QUEUED ? 1 : 0;
      onward.failed += was_queued && request.state() == Request::FAILED ? 1 : 0;
    }
  }
  return onward;
}

}  // namespace

Result<std::vector<Onward>> decide(const Context& context, ports::ObjectStore& store, std::vector<SegmentAt> segments,
                                   const std::optional<Vid>& at) {
  const Ids ended = TRY(ended_among(context, segments));
  std::set<Vid> vids;
  if (at) vids.insert(*at);
  for (const SegmentAt& segment : segments) vids.merge(tapes_of(segment.segment));
  Sights sights = TRY(look(context, store, vids, at));
  std::vector<Onward> decided;
  decided.reserve(segments.size());
  for (SegmentAt& segment : segments) decided.push_back(decide_one(std::move(segment), sights, ended, context.wall.ms / kDayMs, at));
  return decided;
}

Result<std::vector<Onward>> decide_to_stay(const Context& context, std::vector<SegmentAt> segments) {
  const Ids ended = TRY(ended_among(context, segments));
  std::vector<Onward> decided;
  decided.reserve(segments.size());
  for (SegmentAt& segment : segments) {
    Onward onward{.dispersal = {.from = std::move(segment), .ways = {}}};
    const SegmentAt& from = onward.dispersal.from;
    for (const Request& request : from.segment.requests()) {
      const bool has_ended = ended.contains(id_of(from, request));
      onward.dispersal.ways.push_back(has_ended ? Way(End{}) : Way(Stay{}));
      ++(has_ended ? onward.ended : onward.stays);
    }
    decided.push_back(std::move(onward));
  }
  return decided;
}

}  // namespace reclaim::archive
