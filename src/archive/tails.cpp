#include "archive/tails.hpp"

#include <algorithm>
#include <utility>

#include "archive/figures.hpp"
#include "archive/queues.hpp"

namespace reclaim::archive {
namespace {

using stored::Request;
using stored::Segment;
using Kind = Error::Kind;

constexpr int kAttempts = 3;  // of a write whose answer was lost

std::size_t bytes_of(const Request& request) { return request.ByteSizeLong() + 8; }

bool fits(int requests, std::size_t bytes) {
  return requests <= static_cast<int>(kRequestsPerSegmentMax) && bytes <= kSegmentBytesMax - kTailSlack;
}

bool is_refused(const Error& error) { return error.kind == Kind::kConflict || error.kind == Kind::kNotFound; }

// As the next of the segment.
void add(Segment& segment, std::vector<std::size_t>& items, Waiting& waiting) {
  const std::uint32_t last = segment.requests().empty() ? 0 : segment.requests().rbegin()->ordinal();
  waiting.request.set_ordinal(last + 1);
  *segment.add_requests() = std::move(waiting.request);
  items.push_back(waiting.item);
}

// Back to those that wait: the last requests of a segment that does not count.
void take_back(Segment& segment, const std::vector<std::size_t>& items, std::vector<Waiting>& waiting) {
  const int first = segment.requests_size() - static_cast<int>(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    waiting.push_back({items[i], std::move(*segment.mutable_requests(first + static_cast<int>(i)))});
  }
}

void answer(const Segment& segment, const SegmentId& id, const std::vector<std::size_t>& items, Put& put) {
  const int first = segment.requests_size() - static_cast<int>(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    put.done.insert_or_assign(items[i], RequestId{id, segment.requests(first + static_cast<int>(i)).ordinal()});
  }
}

bool holds(const Segment& segment, std::uint32_t ordinal) {
  return std::ranges::any_of(segment.requests(), [&](const Request& request) { return request.ordinal() == ordinal; }) ||
         std::ranges::any_of(segment.forwarded(), [&](const Segment::Forwarding& entry) {
           return std::ranges::find(entry.ordinals(), ordinal) != entry.ordinals().end();
         });
}

// What a write of this segment has come to: its version, or 0 if it was changed since. kConflict: it was refused. Where the answer was
// lost, the same write is tried again: what is refused then was either done the first time, which its last request shows, or never will be.
Result<ports::Version> outcome_of_write(ports::ObjectStore& store, const ports::StoreCall& call, ports::StoreAnswer answered,
                                        const SegmentId& id, std::uint32_t last) {
  for (int attempt = 1;; ++attempt) {
    if (answered.ok()) return answered.value().version;
    if (is_refused(answered.error())) {
      if (attempt == 1) return conflict(call.name.str() + " was changed by somebody else");
      const auto found = TRY(read_segment(store, id));
      if (!found) return unavailable(call.name.str() + " is gone, and whether it was written is not known");
      if (holds(found->segment, last)) return ports::Version{};
      return conflict(call.name.str() + " was changed by somebody else");
    }
    if (answered.error().kind != Kind::kUnavailable || attempt == kAttempts) return answered.error();
    answered = store.run(std::span(&call, 1)).front();
  }
}

// What the write that makes a segment its queue's has come to: its version, or 0 if others have had it since, a taker or a collector: then
// it is in a queue or was.
Result<ports::Version> outcome_of_handing_over(Hand& hand, const SegmentAt& at, const ports::StoreAnswer& answered) {
  if (answered.ok()) return answered.value().version;
  if (!is_refused(answered.error()) && answered.error().kind != Kind::kUnavailable) return answered.error();
  const auto found = TRY(read_segment(hand.store(), at.id));
  if (found && !found->is_owned_by(hand.owner())) return ports::Version{};
  return unavailable("what became of " + object_name(at.id).str() + " is not known");
}

// The queue with the entry's figures as they are now; nothing where it has no entry of the segment.
std::optional<ports::StoreCall> figures_call(const Vid& vid, const SegmentAt& at, const QueuesSeen& queues) {
  const auto seen = queues.find(vid);
  if (seen == queues.end()) return std::nullopt;
  stored::Queue queue = seen->second.queue;
  if (!set_figures(queue, at)) return std::nullopt;
  const QueueId id{vid, QueueType::kToTransfer};
  return ports::replace_call(object_name(id), seen->second.version, encode(id, queue));
}

}  // namespace

std::vector<Tails::Appending> Tails::fill_tails(WaitingByTape& waiting) {
  std::vector<Appending> appends;
  for (auto& [vid, requests] : waiting) {
    const auto found = tails_.find(vid);
    if (found == tails_.end()) continue;
    Tail& tail = found->second;
    Appending appending{found, {}};
    std::size_t taken = 0;
    for (; taken < requests.size(); ++taken) {
      const std::size_t bytes = tail.bytes + bytes_of(requests[taken].request);
      if (!fits(tail.at.segment.requests_size() + 1, bytes)) break;
      add(tail.at.segment, appending.items, requests[taken]);
      tail.bytes = bytes;
    }
    requests.erase(requests.begin(), requests.begin() + static_cast<std::ptrdiff_t>(taken));
    if (appending.items.empty()) {
      if (!requests.empty()) drop(found);
      continue;
    }
    tail.used = ++uses_;
    appends.push_back(std::move(appending));
  }
  return appends;
}

void Tails::append(WaitingByTape& waiting, const QueuesSeen& queues, Put& put) {
  const std::vector<Appending> appends = fill_tails(waiting);
  std::vector<ports::StoreCall> calls;
  std::vector<std::size_t> segments;  // whose calls they are
  std::vector<std::optional<std::size_t>> figures;
  for (const Appending& appending : appends) {
    const Tail& tail = appending.tail->second;
    segments.push_back(calls.size());
    calls.push_back(ports::replace_call(object_name(tail.at.id), tail.at.version, encode(tail.at.id, tail.at.segment)));
    std::optional<ports::StoreCall> figure = figures_call(appending.tail->first, tail.at, queues);
    figures.push_back(figure ? std::optional(calls.size()) : std::nullopt);
    if (figure) calls.push_back(std::move(*figure));
  }
  const std::vector<ports::StoreAnswer> answers = run_in_batches(hand_.store(), calls);
  for (std::size_t i = 0; i < appends.size(); ++i) {
    const Tail& tail = appends[i].tail->second;
    const bool is_written = answers[segments[i]].ok();
    // Others were at the queue: once more, and if that fails, too, with the next append.
    const bool is_behind = is_written && figures[i] && !answers[*figures[i]].ok();
    if (is_behind) (void)write_figures(hand_.store(), {appends[i].tail->first, QueueType::kToTransfer}, tail.at);
    conclude(appends[i], calls[segments[i]], answers[segments[i]], waiting, put);
  }
}

void Tails::conclude(const Appending& appending, const ports::StoreCall& call, const ports::StoreAnswer& answered, WaitingByTape& waiting,
                     Put& put) {
  Tail& tail = appending.tail->second;
  const std::uint32_t last = tail.at.segment.requests().rbegin()->ordinal();
  const Result<ports::Version> written = outcome_of_write(hand_.store(), call, answered, tail.at.id, last);
  if (written.ok()) {
    answer(tail.at.segment, tail.at.id, appending.items, put);
    tail.at.version = written.value();
    if (tail.at.version == ports::Version{} || tail.at.segment.requests_size() >= kTailRequests) drop(appending.tail);
    return;
  }
  if (written.error().kind == Kind::kConflict) {
    take_back(tail.at.segment, appending.items, waiting[appending.tail->first]);
  } else {
    for (const std::size_t item : appending.items) put.failed.emplace(item, written.error());
    if (written.error().kind == Kind::kUnavailable) doubts_.emplace(tail.at.id, Doubt{tail.at.id});
  }
  drop(appending.tail);
}

void Tails::begin(WaitingByTape& waiting, Put& put) {
  std::vector<Fresh> fresh = draw(waiting);
  if (fresh.empty()) return;
  std::vector<ports::ObjectName> names;
  names.reserve(fresh.size());
  for (const Fresh& one : fresh) names.push_back(object_name(one.at.id));
  const Status held = hand_.hold(names);
  if (!held.ok()) {
    for (const Fresh& one : fresh) {
      for (const std::size_t item : one.items) put.failed.emplace(item, held.error());
    }
    return;
  }
  create(fresh, put);
  announce_them(fresh, waiting, put);
  hand_over(fresh, put);
}

std::vector<Tails::Fresh> Tails::draw(WaitingByTape& waiting) {
  std::vector<Fresh> fresh;
  for (auto& [vid, requests] : waiting) {
    bool is_first = true;
    for (Waiting& one : requests) {
      const std::size_t bytes = bytes_of(one.request);
      if (is_first || !fits(fresh.back().at.segment.requests_size() + 1, fresh.back().bytes + bytes)) {
        fresh.push_back({vid, {hand_.fresh(), {}, {}}, {}, 0});
        fresh.back().at.segment.set_owner(object_name(hand_.owner()).str());
        fresh.back().at.segment.set_origin(object_name(fresh.back().at.id).str());
      }
      is_first = false;
      add(fresh.back().at.segment, fresh.back().items, one);
      fresh.back().bytes += bytes;
    }
  }
  waiting.clear();
  return fresh;
}

void Tails::give_up(const Fresh& fresh, const Error& why, Put& put, std::string created) {
  for (const std::size_t item : fresh.items) put.failed.emplace(item, why);
  // What was refused for good has not happened; only of an owner write something is left then.
  const bool is_nothing = why.kind != Kind::kUnavailable && !created.empty();
  if (is_nothing) return hand_.let_go({object_name(fresh.at.id)});
  doubts_.emplace(fresh.at.id, Doubt{fresh.at.id, std::move(created)});
}

Result<ports::Version> Tails::version_of_created(const ports::StoreCall& call) {
  const ports::Object object = TRY(hand_.store().read(call.name));
  if (object.bytes == call.bytes) return object.version;
  return unavailable(call.name.str() + " was collected before it was announced, and may be in a queue");
}

void Tails::create(std::vector<Fresh>& fresh, Put& put) {
  std::vector<ports::StoreCall> calls;
  calls.reserve(fresh.size());
  for (const Fresh& one : fresh) calls.push_back(ports::create_call(object_name(one.at.id), encode(one.at.id, one.at.segment)));
  const std::vector<ports::StoreAnswer> answers = run_in_batches(hand_.store(), calls);
  std::vector<Fresh> created;
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    Result<ports::Version> version =
        outcome_of_write(hand_.store(), calls[i], answers[i], fresh[i].at.id, fresh[i].at.segment.requests().rbegin()->ordinal());
    if (version.ok() && version.value() == ports::Version{}) version = version_of_created(calls[i]);
    if (version.ok()) {
      fresh[i].at.version = version.value();
      created.push_back(std::move(fresh[i]));
    } else {
      give_up(fresh[i], version.error(), put, calls[i].bytes);
    }
  }
  fresh = std::move(created);
}

// False: a collector may have had it in the meantime, and its requests may be in a queue.
bool Tails::undo(const Fresh& fresh) {
  const Status removed = hand_.store().remove(object_name(fresh.at.id), fresh.at.version);
  if (removed.ok() || removed.error().kind == Kind::kNotFound) {
    hand_.let_go({object_name(fresh.at.id)});
  } else {
    doubts_.emplace(fresh.at.id, Doubt{fresh.at.id});
  }
  return removed.ok();
}

void Tails::announce_them(std::vector<Fresh>& fresh, WaitingByTape& waiting, Put& put) {
  std::map<Vid, std::vector<stored::Queue::Pointer>> entries;
  for (const Fresh& one : fresh) entries[one.vid].push_back(summarize(one.at.id, one.at.version, one.at.segment));
  std::vector<Announcement> announcements;
  announcements.reserve(entries.size());
  for (auto& [vid, added] : entries) announcements.push_back({{vid, QueueType::kToTransfer}, std::move(added)});
  const std::vector<Status> statuses = announce_all(hand_.store(), announcements);
  std::map<Vid, Status> announced;
  for (std::size_t i = 0; i < statuses.size(); ++i) announced.emplace(announcements[i].to.vid, statuses[i]);
  std::vector<Fresh> expected;
  for (Fresh& one : fresh) {
    const Status& status = announced.at(one.vid);
    if (status.ok()) {
      expected.push_back(std::move(one));
      continue;
    }
    const bool is_undone = undo(one);
    if (is_undone && status.error().kind == Kind::kConflict) {
      take_back(one.at.segment, one.items, waiting[one.vid]);
      continue;
    }
    const Error error =
        is_undone ? status.error() : unavailable("it may be in a queue: somebody else has had " + object_name(one.at.id).str());
    for (const std::size_t item : one.items) put.failed.emplace(item, error);
  }
  fresh = std::move(expected);
}

void Tails::hand_over(std::vector<Fresh>& fresh, Put& put) {
  std::vector<ports::StoreCall> calls;
  for (Fresh& one : fresh) {
    one.at.segment.set_owner(object_name(QueueId{one.vid, QueueType::kToTransfer}).str());
    calls.push_back(ports::replace_call(object_name(one.at.id), one.at.version, encode(one.at.id, one.at.segment)));
  }
  const std::vector<ports::StoreAnswer> answers = run_in_batches(hand_.store(), calls);
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    Fresh& one = fresh[i];
    const Result<ports::Version> version = outcome_of_handing_over(hand_, one.at, answers[i]);
    if (!version.ok()) {
      give_up(one, version.error(), put);
      continue;
    }
    answer(one.at.segment, one.at.id, one.items, put);
    one.at.version = version.value();
    open_tail(std::move(one));
  }
}

// An owner write whose answer was lost may have been followed by others': such a segment is no tail.
void Tails::open_tail(Fresh made) {
  if (made.at.version == ports::Version{} || made.at.segment.requests_size() >= kTailRequests) {
    hand_.let_go({object_name(made.at.id)});
    return;
  }
  const auto there = tails_.find(made.vid);
  if (there != tails_.end()) drop(there);
  tails_.emplace(made.vid, Tail{std::move(made.at), made.bytes, ++uses_});
  if (tails_.size() > kTailsMax) {
    drop(std::ranges::min_element(tails_, {}, [](const auto& tail) { return tail.second.used; }));
  }
}

void Tails::drop(TailOf tail) {
  const SegmentId id = tail->second.at.id;
  tails_.erase(tail);
  if (!doubts_.contains(id)) hand_.let_go({object_name(id)});
}

void Tails::close(const SegmentId& segment) {
  const auto tail = std::ranges::find_if(tails_, [&](const auto& each) { return each.second.at.id == segment; });
  if (tail != tails_.end()) drop(tail);
}

void Tails::close_all() {
  while (!tails_.empty()) drop(tails_.begin());
}

// Nobody was told that what it holds is in a queue. So one that is still the agent's own goes; any other has been written by somebody
// since, or is written once more as it is.
bool Tails::settle_one(const Doubt& doubt) {
  const ports::ObjectName name = object_name(doubt.id);
  if (!doubt.created.empty()) {
    const Result<ports::Version> created = hand_.store().create(name, doubt.created);
    if (!created.ok() && created.error().kind != Kind::kConflict) return false;
  }
  const auto found = read_segment(hand_.store(), doubt.id);
  if (!found.ok()) return found.error().kind == Kind::kCorrupt;
  if (!found.value()) return true;
  const SegmentAt& at = *found.value();
  if (at.is_owned_by(hand_.owner())) {
    const Status removed = hand_.store().remove(name, at.version);
    return removed.ok() || removed.error().kind == Kind::kNotFound;
  }
  const Result<ports::Version> written = hand_.store().replace(name, at.version, encode(doubt.id, at.segment));
  return written.ok() || is_refused(written.error());
}

Status Tails::settle() {
  for (auto doubt = doubts_.begin(); doubt != doubts_.end() && settle_one(doubt->second);) {
    hand_.let_go({object_name(doubt->first)});
    doubt = doubts_.erase(doubt);
  }
  if (doubts_.size() <= kDoubtsMax) return done();
  return unavailable("the store has not answered what became of " + std::to_string(doubts_.size()) + " segments");
}

}  // namespace reclaim::archive
