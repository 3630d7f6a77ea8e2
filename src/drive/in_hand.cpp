#include "drive/in_hand.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>
#include <variant>

namespace reclaim::drive {
namespace {

using archive::stored::Request;

constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
constexpr int kAttempts = 5;

archive::RequestId id_of(const archive::SegmentAt& at, const Request& request) {
  return {.origin = archive::parse_segment_name(at.segment.origin()).value(), .ordinal = request.ordinal()};
}

}  // namespace

void InHand::add(std::vector<archive::SegmentAt> segments) {
  for (archive::SegmentAt& segment : segments) {
    const archive::SegmentId id = segment.id;
    held_.insert_or_assign(id, Held{.at = std::move(segment), .results = {}, .looked_ms = drive_.context().wall.ms});
  }
}

std::vector<Place> InHand::in_tape_order() const {
  std::vector<Place> places;
  for (const auto& [segment, held] : held_) {
    for (const Request& request : held.at.segment.requests()) {
      const Request::Copy* const copy = archive::active_copy(request);
      const bool is_ours = request.state() == Request::QUEUED && copy != nullptr && !copy->failed() && copy->vid() == vid_.str();
      if (!is_ours || held.results.contains(request.ordinal())) continue;
      places.push_back({.id = id_of(held.at, request), .segment = segment, .fseq = copy->fseq()});
    }
  }
  std::ranges::sort(places, {}, [](const Place& place) { return std::tuple(place.fseq, place.id); });
  return places;
}

Result<std::optional<Request>> InHand::look_at(const Place& place) {
  const auto held = held_.find(place.segment);
  if (held == held_.end()) return std::optional<Request>();
  const std::int64_t now_ms = drive_.context().wall.ms;
  const bool is_fresh = now_ms >= held->second.looked_ms && now_ms - held->second.looked_ms < kLookMs;
  if (!is_fresh) TRY(look_again(held->second));
  const auto& requests = held->second.at.segment.requests();
  const auto found = std::ranges::find(requests, place.id.ordinal, [](const Request& request) { return request.ordinal(); });
  return found == requests.end() || found->cancel_asked() ? std::nullopt : std::optional(*found);
}

// Whatever is another's has nothing to be read.
Status InHand::look_again(Held& held) {
  auto there = TRY(archive::read_segment(drive_.hand.store(), held.at.id));
  if (there && there->is_owned_by(drive_.hand.owner())) {
    held.at = std::move(*there);
  } else {
    held.at.segment.clear_requests();
  }
  held.looked_ms = drive_.context().wall.ms;
  return done();
}

void InHand::record(const Place& place, Request request, Next next) {
  held_.at(place.segment).results.insert_or_assign(place.id.ordinal, Outcome{std::move(request), next});
  final_ += next == Next::kReport ? 1 : 0;
}

bool InHand::has_news(const Held& held, Now now) const {
  const bool is_cancelled = std::ranges::any_of(held.at.segment.requests(), [](const Request& request) { return request.cancel_asked(); });
  if (is_cancelled || (now == Now::kEverything && !held.results.empty())) return true;
  return std::ranges::any_of(held.results, [](const auto& result) { return result.second.next == Next::kReport; });
}

Status InHand::hand_over(Now now) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    TRY(hand_over_once(now));
    const bool has_more = std::ranges::any_of(held_, [&](const auto& held) { return has_news(held.second, now); });
    if (!has_more) break;
  }
  final_ = 0;
  return done();
}

Status InHand::hand_over_once(Now now) {
  std::vector<Held*> changed;
  std::set<archive::Vid> vids{vid_};
  for (auto& [segment, held] : held_) {
    if (!has_news(held, now)) continue;
    changed.push_back(&held);
    if (now == Now::kEverything) vids.merge(archive::tapes_of(held.at.segment));
  }
  if (changed.empty()) return done();
  const archive::Context context = drive_.context();
  archive::TapeStandings tapes = TRY(archive::look_at_tapes(context, drive_.hand.store(), vids));
  std::vector<archive::Ended> cancelled;
  std::vector<archive::Dispersal> wanted;
  wanted.reserve(changed.size());
  for (Held* const held : changed) wanted.push_back(TRY(decide(*held, now, tapes, cancelled)));
  if (!cancelled.empty()) TRY(archive::record_ended(context, cancelled));
  std::vector<archive::Dispersed> come = TRY(archive::disperse(drive_.hand, wanted));
  for (std::size_t i = 0; i < come.size(); ++i) TRY(settle(*changed[i], wanted[i], std::move(come[i])));
  std::erase_if(held_, [](const auto& held) { return held.second.at.segment.requests().empty(); });
  return done();
}

Result<archive::Dispersal> InHand::decide(Held& held, Now now, archive::TapeStandings& tapes,
                                          std::vector<archive::Ended>& cancelled) const {
  archive::Dispersal wanted{.from = held.at, .ways = {}};
  const std::int64_t day = drive_.context().wall.ms / kDayMs;
  for (Request& request : *wanted.from.segment.mutable_requests()) {
    const auto result = held.results.find(request.ordinal());
    const bool is_final = result != held.results.end() && result->second.next == Next::kReport;
    if (request.cancel_asked() && !is_final) {
      cancelled.push_back({.id = id_of(held.at, request), .how = archive::Ending::kCancelled, .reported = false, .request = request});
      wanted.ways.emplace_back(archive::End{});
    } else if (is_final) {
      const bool was_cancelled = request.cancel_asked();
      request = result->second.request;
      request.set_cancel_asked(was_cancelled);
      wanted.ways.emplace_back(archive::Go{archive::send_on(request, tapes, day, vid_)});
    } else if (result != held.results.end() && now == Now::kEverything) {
      request = result->second.request;
      wanted.ways.emplace_back(archive::Go{send_elsewhere(request, tapes, day, vid_)});
    } else {
      wanted.ways.emplace_back(archive::Stay{});
    }
  }
  return wanted;
}

Status InHand::settle(Held& held, const archive::Dispersal& wanted, archive::Dispersed come) {
  switch (come.moved) {
    case archive::Moved::kDone:
      count(held, wanted);
      for (std::size_t i = 0; i < wanted.ways.size(); ++i) {
        const bool stays = std::holds_alternative<archive::Stay>(wanted.ways[i]);
        if (!stays) held.results.erase(wanted.from.segment.requests(static_cast<int>(i)).ordinal());
      }
      if (come.rest) {
        held.at = std::move(*come.rest);
      } else {
        held.at.segment.clear_requests();
      }
      return done();
    case archive::Moved::kRefused: return done();  // chosen again in a moment, or at the end of the mount
    case archive::Moved::kLost: return look_again(held);
  }
  return done();
}

void InHand::count(const Held& held, const archive::Dispersal& wanted) {
  for (std::size_t i = 0; i < wanted.ways.size(); ++i) {
    const Request& request = wanted.from.segment.requests(static_cast<int>(i));
    if (std::holds_alternative<archive::End>(wanted.ways[i])) ++report_.cancelled;
    if (!std::holds_alternative<archive::Go>(wanted.ways[i]) || !held.results.contains(request.ordinal())) continue;
    if (request.state() == Request::TRANSFERRED) ++report_.delivered;
    if (request.state() == Request::FAILED) ++report_.failed;
    if (request.state() == Request::QUEUED) ++report_.elsewhere;
  }
}

}  // namespace reclaim::drive
