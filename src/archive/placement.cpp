#include "archive/placement.hpp"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/queue_list.hpp"
#include "archive/tapes.hpp"
#include "base/check.hpp"

namespace reclaim::archive {
namespace {

using stored::Request;

constexpr std::size_t kTapesMax = 10'000;
constexpr std::size_t kQueuesAtOnce = 256;  // in memory: up to some megabytes each

Queueing queueing_of(TapeState state, Request::Kind kind) {
  return kind == Request::REPACK ? queueing_of_repacks(state) : queueing_of_users(state);
}

std::uint64_t add_up_to_most(std::uint64_t sum, std::uint64_t more) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  return more > kMost - sum ? kMost : sum + more;
}

// FNV-1a, and the last steps of splitmix64, for texts that differ in a digit shall not come out alike. The same on every machine.
class Hash {
 public:
  void add(std::string_view text) {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
    add_byte(0);
  }
  std::uint64_t value() const {
    std::uint64_t bits = state_;
    bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9U;
    bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebU;
    return bits ^ (bits >> 31U);
  }

 private:
  void add_byte(unsigned char byte) { state_ = (state_ ^ byte) * 0x100000001b3U; }

  std::uint64_t state_ = 0xcbf29ce484222325U;
};

std::uint64_t rank_of(const Request& request, std::int64_t day, const std::string& vid) {
  Hash hash;
  hash.add(request.file());
  hash.add(std::to_string(day));
  hash.add(vid);
  return hash.value();
}

struct Candidate {
  std::uint32_t copy;
  Queueing queueing;
  std::uint64_t queued_bytes;
};

std::vector<Candidate> candidates_of(const Request& request, const TapeStandings& tapes) {
  std::vector<Candidate> candidates;
  for (int i = 0; i < request.copies_size(); ++i) {
    const auto tape = tapes.find(Vid(request.copies(i).vid()));
    if (request.copies(i).failed() || tape == tapes.end() || tape->second.is_reserved) continue;
    const Queueing queueing = queueing_of(tape->second.state, request.kind());
    if (queueing != Queueing::kNever) candidates.push_back({static_cast<std::uint32_t>(i), queueing, tape->second.queued_bytes});
  }
  return candidates;
}

std::string why_not(const Request::Copy& copy, const TapeStandings& tapes, Request::Kind kind) {
  const auto tape = tapes.find(Vid(copy.vid()));
  if (tape == tapes.end()) return "there is no tape " + copy.vid();
  const std::string is = copy.vid() + " is " + std::string(name_of(tape->second.state));
  if (!accepts(tape->second.state, kind)) return is + (tape->second.reason.empty() ? "" : ": \"" + tape->second.reason + "\"");
  if (copy.failed()) return copy.vid() + " could not be read";
  return is + ", but its queue takes nothing now";
}

Status note_queue(const QueueId& id, const ports::StoreAnswer& answer, TapeStanding& standing, QueuesSeen* queues) {
  Result<stored::Queue> queue = answer.ok() ? decode_queue(id, answer.value().bytes) : answer.error();
  if (queue.ok()) {
    standing.is_reserved = queue.value().has_reservation();
    standing.queued_bytes = figures_of(queue.value()).bytes;
    if (queues != nullptr) queues->emplace(id.vid, QueueSeen{std::move(queue).value(), answer.value().version});
  } else if (queue.error().kind == Error::Kind::kCorrupt) {
    standing.is_reserved = true;
  } else if (queue.error().kind != Error::Kind::kNotFound) {
    return queue.error();
  }
  return done();
}

}  // namespace

Result<TapeStandings> look_at_tapes(const Context& context, ports::ObjectStore& store, const std::set<Vid>& vids, QueuesSeen* queues) {
  check(vids.size() <= kTapesMax, "how many tapes are looked at is bounded by the caller");
  TapeStandings standings;
  std::vector<QueueId> ids;
  for (Tape& tape : TRY(find_tapes(context, {vids.begin(), vids.end()}))) {
    ids.push_back({tape.spec.vid, QueueType::kToTransfer});
    standings.emplace(tape.spec.vid, TapeStanding{.state = tape.spec.state, .reason = std::move(tape.spec.reason)});
  }
  for (std::size_t from = 0; from < ids.size(); from += kQueuesAtOnce) {
    const std::span<const QueueId> some = std::span(ids).subspan(from, std::min(kQueuesAtOnce, ids.size() - from));
    std::vector<ports::StoreCall> reads;
    reads.reserve(some.size());
    for (const QueueId& id : some) reads.push_back(ports::read_call(object_name(id)));
    const std::vector<ports::StoreAnswer> answers = store.run(reads);
    for (std::size_t i = 0; i < answers.size(); ++i) TRY(note_queue(some[i], answers[i], standings.at(some[i].vid), queues));
  }
  return standings;
}

std::set<Vid> tapes_of(const stored::Segment& segment) {
  std::set<Vid> vids;
  for (const Request& request : segment.requests()) {
    for (const Request::Copy& copy : request.copies()) vids.emplace(copy.vid());
  }
  return vids;
}

bool accepts(TapeState state, Request::Kind kind) { return queueing_of(state, kind) != Queueing::kNever; }

bool may_mount(TapeState state) { return may_be_mounted(state); }

std::optional<std::uint32_t> best_copy(const Request& request, const TapeStandings& tapes, std::int64_t day) {
  std::vector<Candidate> candidates = candidates_of(request, tapes);
  if (candidates.empty()) return std::nullopt;
  const Queueing choice = std::ranges::min(candidates, {}, &Candidate::queueing).queueing;
  std::erase_if(candidates, [&](const Candidate& candidate) { return candidate.queueing != choice; });
  const std::uint64_t least = std::ranges::min(candidates, {}, &Candidate::queued_bytes).queued_bytes;
  std::erase_if(candidates, [&](const Candidate& candidate) { return candidate.queued_bytes - least >= kAlikeBytes; });
  if (candidates.size() == 1) return candidates.front().copy;
  return std::ranges::max(
             candidates, {},
             [&](const Candidate& candidate) { return rank_of(request, day, request.copies(static_cast<int>(candidate.copy)).vid()); })
      .copy;
}

std::string why_none(const Request& request, const TapeStandings& tapes) {
  std::string text;
  for (const Request::Copy& copy : request.copies()) text.append(text.empty() ? "" : "; ").append(why_not(copy, tapes, request.kind()));
  return text.empty() ? "there is no copy" : text;
}

QueueId send_on(Request& request, TapeStandings& tapes, std::int64_t day, const Vid& from) {
  if (request.state() == Request::QUEUED) {
    if (const std::optional<std::uint32_t> best = best_copy(request, tapes, day)) {
      request.set_active_copy(*best);
      Vid vid(request.copies(static_cast<int>(*best)).vid());
      TapeStanding& tape = tapes.at(vid);
      tape.queued_bytes = add_up_to_most(tape.queued_bytes, request.size());
      return {std::move(vid), QueueType::kToTransfer};
    }
    request.set_state(Request::FAILED);
    request.set_final_attempt(request.attempts().total());
    add_error(request, why_none(request, tapes));
  }
  const Request::Copy* copy = active_copy(request);
  return {copy == nullptr ? from : Vid(copy->vid()), QueueType::kToReport};
}

}  // namespace reclaim::archive
