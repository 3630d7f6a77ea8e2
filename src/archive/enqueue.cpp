#include "archive/enqueue.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "archive/leave_out.hpp"
#include "archive/ledger.hpp"
#include "archive/placement.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {
namespace {

constexpr std::size_t kTapesAtOnce = 10'000;
constexpr std::int64_t kDayMs = 24 * 3600 * 1000L;

using Answers = std::vector<std::optional<Result<Enqueued>>>;

std::set<Vid> tapes_of(const stored::Request& request) {
  std::set<Vid> vids;
  for (const stored::Request::Copy& copy : request.copies()) vids.emplace(copy.vid());
  return vids;
}

// As many from the front as name so many tapes at most.
std::vector<Waiting> take_some(std::vector<Waiting>& waiting, std::set<Vid>& vids) {
  std::size_t count = 0;
  for (; count < waiting.size(); ++count) {
    std::set<Vid> more = tapes_of(waiting[count].request);
    if (count > 0 && vids.size() + more.size() > kTapesAtOnce) break;
    vids.merge(more);
  }
  const auto end = waiting.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Waiting> some(std::make_move_iterator(waiting.begin()), std::make_move_iterator(end));
  waiting.erase(waiting.begin(), end);
  return some;
}

// The best tape for each; what none can serve is answered.
WaitingByTape choose(std::vector<Waiting> waiting, TapeStandings& tapes, std::int64_t day, Answers& answers) {
  WaitingByTape chosen;
  for (Waiting& one : waiting) {
    const std::optional<std::uint32_t> copy = best_copy(one.request, tapes, day);
    if (!copy) {
      answers[one.item] = conflict("no tape can serve file " + one.request.file() + ": " + why_none(one.request, tapes));
      continue;
    }
    one.request.set_active_copy(*copy);
    const Vid vid(one.request.copies(static_cast<int>(*copy)).vid());
    std::uint64_t& queued = tapes.at(vid).queued_bytes;
    queued += std::min(one.request.size(), std::numeric_limits<std::uint64_t>::max() - queued);
    chosen[vid].push_back(std::move(one));
  }
  return chosen;
}

// Puts all of them somewhere. A queue that takes nothing any more is left out, and what was to go there chooses again.
void place(Hand& hand, Tails& tails, const Context& context, std::vector<Waiting> waiting, std::int64_t day, Answers& answers) {
  std::set<Vid> vids;
  for (const Waiting& one : waiting) vids.merge(tapes_of(one.request));
  QueuesSeen queues;
  Result<TapeStandings> standings = look_at_tapes(context, hand.store(), vids, &queues);
  if (!standings.ok()) {
    for (const Waiting& one : waiting) answers[one.item] = standings.error();
    return;
  }
  TapeStandings& tapes = standings.value();
  while (!waiting.empty()) {
    WaitingByTape chosen = choose(std::move(waiting), tapes, day, answers);
    waiting.clear();
    std::map<std::size_t, Vid> whither;
    for (const auto& [vid, requests] : chosen) {
      for (const Waiting& one : requests) whither.emplace(one.item, vid);
    }
    Put put;
    tails.append(chosen, queues, put);
    tails.begin(chosen, put);
    for (const auto& [item, id] : put.done) answers[item] = Enqueued{id, whither.at(item)};
    for (const auto& [item, error] : put.failed) answers[item] = error;
    for (auto& [vid, refused] : chosen) {
      tapes.at(vid).is_reserved = true;
      std::move(refused.begin(), refused.end(), std::back_inserter(waiting));
    }
  }
}

// Ends requests whose file has gone, as removed, where they wait in the segment that they were put in. Which: one that somebody has taken
// meanwhile stays, because it knows all that is needed to serve it.
Result<std::set<std::uint32_t>> withdraw(Hand& hand, const Context& context, const SegmentId& segment,
                                         const std::map<std::uint32_t, std::size_t>& wanted) {
  std::set<std::uint32_t> withdrawn;
  std::optional<SegmentAt> at = TRY(read_segment(hand.store(), segment));
  if (!at || at->segment.owner().empty()) return withdrawn;
  const Owner owner = TRY(parse_owner(at->segment.owner()));
  const auto* queue = std::get_if<QueueId>(&owner);
  if (queue == nullptr) return withdrawn;
  std::vector<int> places;
  for (int place = 0; place < at->segment.requests_size(); ++place) {
    const stored::Request& request = at->segment.requests(place);
    if (!wanted.contains(request.ordinal()) || request.state() != stored::Request::QUEUED) continue;
    places.push_back(place);
    withdrawn.insert(request.ordinal());
  }
  if (places.empty()) return withdrawn;
  std::optional<SegmentAt> flagged = TRY(flag(hand.store(), *std::move(at), places));
  if (!flagged) return std::set<std::uint32_t>();
  TRY(leave_out(hand, context, *queue, *std::move(flagged), places, Ending::kRemoved));
  return withdrawn;
}

// Puts on record what came in, and takes back what was asked of files that were removed in the very moment. If the catalogue cannot be
// asked, all stay, and the ledger learns of them from the store.
void look_afterwards(Hand& hand, Tails& tails, const Context& context, std::span<const Submission> submissions, Answers& answers) {
  std::set<std::string> files;
  Origins highest;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]->ok()) continue;
    files.insert(submissions[i].file.str());
    raise(highest, answers[i]->value().id);
  }
  const Result<std::set<std::string>> missing = book_requests(context, highest, files);
  if (!missing.ok() || missing.value().empty()) return;
  std::map<SegmentId, std::map<std::uint32_t, std::size_t>> gone;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]->ok() || !missing.value().contains(submissions[i].file.str())) continue;
    const RequestId& id = answers[i]->value().id;
    gone[id.origin].emplace(id.ordinal, i);
  }
  for (const auto& [segment, items] : gone) {
    tails.close(segment);
    const Result<std::set<std::uint32_t>> withdrawn = withdraw(hand, context, segment, items);
    for (const auto& [ordinal, item] : items) {
      const std::string& file = submissions[item].file.str();
      if (!withdrawn.ok()) {
        answers[item] = unavailable("file " + file + " was removed meanwhile, and it is not known whether the request waits for it still");
      } else if (withdrawn.value().contains(ordinal)) {
        answers[item] = invalid("file", "no file " + file);
      }
    }
  }
}

}  // namespace

std::vector<Result<Enqueued>> Enqueuer::enqueue(const Context& context, std::span<const Submission> submissions, std::int64_t now_ms) {
  const Status settled = tails_.settle();
  if (!settled.ok()) return {submissions.size(), Result<Enqueued>(settled.error())};
  Result<std::vector<Result<stored::Request>>> admitted = admit(context, submissions, now_ms);
  if (!admitted.ok()) return {submissions.size(), Result<Enqueued>(admitted.error())};
  Answers answers(submissions.size());
  std::vector<Waiting> waiting;
  for (std::size_t i = 0; i < submissions.size(); ++i) {
    Result<stored::Request>& one = admitted.value()[i];
    if (one.ok()) {
      waiting.push_back({i, std::move(one).value()});
    } else {
      answers[i] = one.error();
    }
  }
  while (!waiting.empty()) {
    std::set<Vid> vids;
    place(hand_, tails_, context, take_some(waiting, vids), now_ms / kDayMs, answers);
  }
  look_afterwards(hand_, tails_, context, submissions, answers);
  std::vector<Result<Enqueued>> all;
  all.reserve(answers.size());
  for (std::optional<Result<Enqueued>>& answer : answers) all.push_back(std::move(*answer));
  return all;
}

void Enqueuer::rest() {
  tails_.close_all();
  (void)tails_.settle();
}

}  // namespace reclaim::archive
