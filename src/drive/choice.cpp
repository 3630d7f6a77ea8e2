#include "drive/choice.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "archive/mounts.hpp"
#include "archive/placement.hpp"
#include "archive/queues.hpp"

namespace reclaim::drive {
namespace {

using archive::Vid;
using archive::stored::Queue;
using archive::stored::Request;

constexpr std::size_t kTapesAtOnce = 1000;
constexpr std::size_t kSegmentsLookedAt = 16;  // at once, to find out whether a mount pays
constexpr std::int64_t kPoliciesMax = 10'000;
constexpr std::size_t kProblemsMax = 100;

struct Candidate {
  Vid vid;
  std::int64_t priority = 0;
  std::int64_t oldest_ms = 0;
  Queue queue;
};

// Of all libraries, those on which something waits.
Result<std::vector<Vid>> tapes_waited_for(Drive& drive) {
  std::vector<Vid> vids;
  for (const std::string& key : TRY(drive.hand.store().list_all("queue"))) {
    const Result<archive::QueueId> id = archive::parse_queue_name("queue/" + key);
    if (id.ok() && id.value().type == archive::QueueType::kToTransfer) vids.push_back(id.value().vid);
  }
  return vids;
}

// Those of the library. Where not one of them can be looked for, it is the library that is away.
Result<std::vector<Vid>> tapes_here(Drive& drive, std::vector<std::string>& problems) {
  const std::int64_t now_ms = drive.context().wall.ms;
  std::vector<Vid> vids;
  std::vector<std::pair<Vid, Error>> unseen;
  bool is_library_there = false;
  for (const Vid& vid : TRY(tapes_waited_for(drive))) {
    if (drive.resting->rests(vid, now_ms)) continue;
    const Result<bool> has = drive.library.has(vid.str());
    is_library_there = is_library_there || has.ok();
    if (!has.ok()) unseen.emplace_back(vid, has.error());
    if (has.ok() && has.value()) vids.push_back(vid);
  }
  if (!unseen.empty() && !is_library_there) return unseen.front().second;
  for (const auto& [vid, why] : unseen) {
    drive.resting->begin(vid, now_ms);
    if (problems.size() < kProblemsMax) problems.push_back(why.message);
  }
  return vids;
}

std::optional<Candidate> candidate(const Vid& vid, const archive::TapeStanding& tape, Queue queue) {
  if (tape.is_reserved || !archive::may_mount(tape.state)) return std::nullopt;
  std::optional<Candidate> found;
  for (const Queue::Pointer& entry : queue.pointers()) {
    if (!archive::accepts(tape.state, entry.repack() ? Request::REPACK : Request::USER)) continue;
    if (!found) found = Candidate{.vid = vid, .priority = entry.priority_max(), .oldest_ms = entry.oldest_ms(), .queue = {}};
    found->priority = std::max(found->priority, entry.priority_max());
    found->oldest_ms = std::min(found->oldest_ms, entry.oldest_ms());
  }
  if (found) found->queue = std::move(queue);
  return found;
}

Result<std::vector<Candidate>> candidates(Drive& drive, std::vector<std::string>& problems) {
  const std::vector<Vid> here = TRY(tapes_here(drive, problems));
  std::set<Vid> mounted;
  for (const archive::Mount& mount : TRY(archive::list_mounts(drive.hand.store()))) mounted.insert(mount.vid);
  std::vector<Candidate> found;
  for (auto from = here.begin(); from != here.end();) {
    std::set<Vid> some;
    for (; from != here.end() && some.size() < kTapesAtOnce; ++from) {
      if (!mounted.contains(*from)) some.insert(*from);
    }
    archive::QueuesSeen queues;
    for (const auto& [vid, tape] : TRY(archive::look_at_tapes(drive.context(), drive.hand.store(), some, &queues))) {
      const auto queue = queues.find(vid);
      if (queue == queues.end()) continue;
      auto one = candidate(vid, tape, std::move(queue->second.queue));
      if (one) found.push_back(std::move(*one));
    }
  }
  std::ranges::sort(found, {}, [](const Candidate& one) { return std::tuple(-one.priority, one.oldest_ms, one.vid); });
  return found;
}

// What cannot be read is the taker's trouble, and no reason to wait.
Result<bool> pays_for(Drive& drive, const Candidate& tape, const std::vector<archive::Policy>& policies) {
  std::set<std::string> names;
  for (const Queue::Pointer& entry : tape.queue.pointers()) names.insert(entry.segment());
  std::vector<archive::SegmentAt> segments;
  std::vector<archive::SegmentId> ids;
  ids.reserve(names.size());
  for (const std::string& name : names) ids.push_back(TRY(archive::parse_segment_name(name)));
  for (std::size_t from = 0; from < ids.size(); from += kSegmentsLookedAt) {
    const auto some = std::span(ids).subspan(from, std::min(kSegmentsLookedAt, ids.size() - from));
    for (archive::SegmentReading& reading : archive::read_each_segment(drive.hand.store(), some)) {
      if (!reading.segment.ok()) return true;
      if (reading.segment.value()) segments.push_back(std::move(*reading.segment.value()));
    }
    if (pays(policies, segments, drive.context().wall.ms)) return true;
  }
  return false;
}

struct Waiting {
  std::int64_t files = 0;
  std::uint64_t bytes = 0;
  std::int64_t oldest_ms = 0;
};

bool is_reached(const archive::Policy& policy, const Waiting& waiting, std::int64_t now_ms) {
  if (policy.min_age_s == 0 && policy.min_files == 0 && policy.min_bytes == 0) return true;
  const bool is_old = policy.min_age_s > 0 && (now_ms - waiting.oldest_ms) / 1000 >= policy.min_age_s;
  const bool is_many = policy.min_files > 0 && waiting.files >= policy.min_files;
  return is_old || is_many || (policy.min_bytes > 0 && std::cmp_greater_equal(waiting.bytes, policy.min_bytes));
}

}  // namespace

bool pays(const std::vector<archive::Policy>& policies, const std::vector<archive::SegmentAt>& segments, std::int64_t now_ms) {
  std::map<std::string, Waiting> waiting;
  for (const archive::SegmentAt& segment : segments) {
    for (const Request& request : segment.segment.requests()) {
      const bool is_known = std::ranges::any_of(policies, [&](const auto& policy) { return policy.name.str() == request.policy(); });
      if (!is_known) return true;
      Waiting& of = waiting[request.policy()];
      of.oldest_ms = of.files == 0 ? request.created_ms() : std::min(of.oldest_ms, request.created_ms());
      of.bytes += request.size();
      ++of.files;
    }
  }
  return std::ranges::any_of(policies, [&](const archive::Policy& policy) {
    const auto of = waiting.find(policy.name.str());
    return of != waiting.end() && is_reached(policy, of->second, now_ms);
  });
}

Result<std::optional<Vid>> choose_tape(Drive& drive, std::vector<std::string>& problems) {
  const std::vector<Candidate> tapes = TRY(candidates(drive, problems));
  if (tapes.empty()) return std::optional<Vid>();
  const std::vector<archive::Policy> policies = TRY(archive::list_policies(drive.context(), "", kPoliciesMax));
  for (const Candidate& tape : tapes) {
    if (policies.empty() || TRY(pays_for(drive, tape, policies))) return std::optional(tape.vid);
  }
  return std::optional<Vid>();
}

}  // namespace reclaim::drive
