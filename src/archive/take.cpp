#include "archive/take.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "archive/quarantine.hpp"
#include "archive/queues.hpp"

namespace reclaim::archive {
namespace {

using Entry = stored::Queue::Pointer;

constexpr std::size_t kReadAtOnce = 8;
constexpr int kRoundsMax = 16;     // of choosing among what is left
constexpr int kWriteAttempts = 3;  // of owner writes that are not answered

bool gives_to(const stored::Queue& queue, const Hand& hand) {
  return !queue.has_reservation() || queue.reservation().agent() == hand.id().str();
}

std::vector<SegmentId> segments_of(const std::vector<Entry>& chosen) {
  std::vector<SegmentId> segments;
  std::set<SegmentId> known;
  for (const Entry& entry : chosen) {
    const Result<SegmentId> id = parse_segment_name(entry.segment());
    if (segments.size() < kTakeMax && id.ok() && known.insert(id.value()).second) segments.push_back(id.value());
  }
  return segments;
}

// What an owner write has come to: the segment, which is the hand's now; nothing, if it is somebody else's or gone; kUnavailable, if it may
// still arrive. One that was sent before may be refused because it had arrived then.
Result<std::optional<SegmentAt>> look_after(Hand& hand, const ports::StoreAnswer& answer, const SegmentAt& wanted, bool was_sent_before) {
  if (answer.ok()) {
    SegmentAt taken{wanted.id, wanted.segment, answer.value().version};
    taken.segment.set_owner(object_name(hand.owner()).str());
    return std::optional(std::move(taken));
  }
  const Error::Kind why = answer.error().kind;
  const bool is_refused = why == Error::Kind::kConflict || why == Error::Kind::kNotFound;
  if (is_refused && !was_sent_before) return std::optional<SegmentAt>();
  if (!is_refused && why != Error::Kind::kUnavailable) return answer.error();
  auto found = TRY(read_segment(hand.store(), wanted.id));
  if (found && found->version == wanted.version) return unavailable(object_name(wanted.id).str() + " could not be written");
  if (found && !found->is_owned_by(hand.owner())) found.reset();
  return found;
}

// One taking out of one queue.
class Taking {
 public:
  Taking(Hand& hand, const QueueId& queue, stored::Queue entries) : hand_(hand), queue_(queue), left_(std::move(entries)) {}

  // Takes what it can of these, after which they are not among what is left.
  Status take(std::span<const SegmentId> segments) {
    for (std::size_t bytes = 0; !segments.empty() && bytes < kTakeBytesMax;
         segments = segments.subspan(std::min(kReadAtOnce, segments.size()))) {
      const auto some = segments.first(std::min(kReadAtOnce, segments.size()));
      std::vector<SegmentReading> readings = read_each_segment(hand_.store(), some);
      for (std::size_t i = 0; i < some.size(); ++i) bytes += meet(some[i], std::move(readings[i]));
    }
    return take_live();
  }

  const stored::Queue& left() const { return left_; }
  bool has_taken() const { return !taken_.segments.empty(); }

  Result<TakenSegments> finish() {
    if (!has_taken() && !taken_.is_in_doubt && unreadable_) return *unreadable_;
    if (!dropped_.empty()) drop();
    return std::move(taken_);
  }

 private:
  // Its size.
  std::size_t meet(const SegmentId& id, SegmentReading reading) {
    const std::vector<Entry> entries = pick(id);
    if (!reading.segment.ok()) {
      set_aside(id, reading, entries);
      return 0;
    }
    std::optional<SegmentAt>& found = reading.segment.value();
    std::optional<SegmentSeen> seen;
    if (found) seen = SegmentSeen{found->segment.owner(), found->version};
    bool is_live = false;
    for (const Entry& entry : entries) {
      const Standing standing = standing_of(entry, queue_, seen);
      if (standing == Standing::kDead) dropped_.push_back(entry);
      is_live = is_live || standing == Standing::kLive;
    }
    if (!is_live) return 0;
    live_.push_back({std::move(*found), entries});
    return live_.back().segment.segment.ByteSizeLong();
  }

  // The entries of the segment, out of what is left.
  std::vector<Entry> pick(const SegmentId& id) {
    std::vector<Entry> picked;
    auto& entries = *left_.mutable_pointers();
    const std::string name = object_name(id).str();
    const auto kept = std::stable_partition(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.segment() != name; });
    picked.assign(kept, entries.end());
    entries.erase(kept, entries.end());
    return picked;
  }

  void set_aside(const SegmentId& id, const SegmentReading& reading, const std::vector<Entry>& entries) {
    const Error& why = reading.segment.error();
    problem(id, why.message);
    if (!unreadable_ && why.kind == Error::Kind::kUnavailable) unreadable_ = why;
    if (!reading.unreadable) return;
    const Status quarantined = quarantine(hand_.store(), id, *reading.unreadable, why.message);
    if (!quarantined.ok()) return problem(id, "not set aside: " + quarantined.error().message);
    problem(id, "set aside as " + damaged_name(id).str());
    dropped_.insert(dropped_.end(), entries.begin(), entries.end());
  }

  Status take_live() {
    if (live_.empty()) return done();
    std::vector<ports::ObjectName> names;
    names.reserve(live_.size());
    for (const Live& each : live_) names.push_back(object_name(each.segment.id));
    TRY(hand_.hold(names));
    for (int attempt = 0; attempt < kWriteAttempts && !live_.empty(); ++attempt) write_live(attempt > 0);
    for (const Live& each : std::exchange(live_, {})) {
      taken_.is_in_doubt = true;
      problem(each.segment.id, "it is not known whether it was taken");
    }
    return done();
  }

  // Leaves those of which the outcome is not known.
  void write_live(bool again) {
    std::vector<ports::StoreCall> calls;
    calls.reserve(live_.size());
    for (const Live& each : live_) calls.push_back(owner_write(each.segment.id, each.segment.version, each.segment.segment, hand_.owner()));
    const auto answers = run_in_batches(hand_.store(), calls);
    std::vector<Live> unknown;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      Live& each = live_[i];
      auto outcome = look_after(hand_, answers[i], each.segment, again);
      if (!outcome.ok() && outcome.error().kind == Error::Kind::kUnavailable) {
        unknown.push_back(std::move(each));
        continue;
      }
      if (!outcome.ok()) problem(each.segment.id, outcome.error().message);
      if (outcome.ok() && outcome.value()) {
        taken_.segments.push_back(std::move(*outcome.value()));
        dropped_.insert(dropped_.end(), each.entries.begin(), each.entries.end());
      } else {
        hand_.let_go({object_name(each.segment.id)});
      }
    }
    live_ = std::move(unknown);
  }

  // What is taken stays taken: an entry that could not be dropped is dead, and goes with somebody's next edit.
  void drop() {
    const Status edited = edit_queue(hand_.store(), queue_, [&](stored::Queue& now) -> Result<Edited> {
      bool is_changed = false;
      for (const Entry& entry : dropped_) {
        is_changed |= drop_entry(now, TRY(parse_segment_name(entry.segment())), ports::Version{entry.expects()});
      }
      if (now.pointers().empty() && !now.has_reservation()) return Edited::kRemove;
      return is_changed ? Edited::kWrite : Edited::kNothing;
    });
    if (!edited.ok()) taken_.problems.push_back(object_name(queue_).str() + ": " + edited.error().message);
  }

  void problem(const SegmentId& id, const std::string& what) { taken_.problems.push_back(object_name(id).str() + ": " + what); }

  struct Live {
    SegmentAt segment;
    std::vector<Entry> entries;
  };

  Hand& hand_;
  const QueueId& queue_;
  stored::Queue left_;
  std::vector<Live> live_;
  std::vector<Entry> dropped_;  // to be
  std::optional<Error> unreadable_;
  TakenSegments taken_;
};

}  // namespace

Result<TakenSegments> take(Hand& hand, const QueueId& queue, const Choose& choose) {
  auto there = TRY(read_queue(hand.store(), queue));
  if (!there || !gives_to(*there, hand)) return TakenSegments{};
  Taking taking(hand, queue, std::move(*there));
  for (int round = 0; round < kRoundsMax && !taking.has_taken(); ++round) {
    const std::vector<SegmentId> segments = segments_of(choose(taking.left()));
    if (segments.empty()) break;
    TRY(taking.take(segments));
  }
  return taking.finish();
}

}  // namespace reclaim::archive
