#include "archive/split.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "archive/queues.hpp"

namespace reclaim::archive {

namespace {

bool is_kind(const Status& status, Error::Kind kind) { return !status.ok() && status.error().kind == kind; }

struct Child {
  const Part* part;
  ports::Version version;
  stored::Segment segment;
};

// One split on its way.
struct Splitting {
  const Split* wanted;
  std::vector<Child> children;
  Moved moved = Moved::kDone;
  std::optional<SegmentAt> source = {};
  bool is_unknown = false;  // whether it was committed
};

// The store's answer to the creation of a child: names are fresh, so that whatever is there after an answer was lost is what was to be
// there.
Result<ports::Version> version_of(ports::ObjectStore& store, const ports::ObjectName& name, const ports::StoreAnswer& answer) {
  const bool is_unsure = !answer.ok() && answer.error().kind == Error::Kind::kUnavailable;
  return TRY(is_unsure ? store.read(name) : Result<ports::Object>(answer)).version;
}

// Until the sources name them they are garbage, which the owner field says: it is the source.
Status create_children(ports::ObjectStore& store, std::vector<Splitting>& splits) {
  std::vector<ports::StoreCall> calls;
  for (Splitting& one : splits) {
    for (const Part& part : one.wanted->parts) {
      stored::Segment segment;
      segment.set_owner(object_name(one.wanted->source).str());
      segment.set_origin(one.wanted->after.origin());
      for (const stored::Request& request : part.requests) *segment.add_requests() = request;
      calls.push_back(ports::create_call(object_name(part.id), encode(part.id, segment)));
      one.children.push_back({&part, {}, std::move(segment)});
    }
  }
  const auto answers = run_in_batches(store, calls);
  std::size_t at = 0;
  for (Splitting& one : splits) {
    for (Child& child : one.children) {
      child.version = TRY(version_of(store, calls[at].name, answers[at]));
      ++at;
    }
  }
  return done();
}

// A split of which one destination takes nothing is refused as a whole.
Status announce_children(ports::ObjectStore& store, std::vector<Splitting>& splits) {
  std::map<QueueId, std::vector<stored::Queue::Pointer>> entries;
  for (const Splitting& one : splits) {
    for (const Child& child : one.children) {
      entries[child.part->to].push_back(summarize(child.part->id, child.version, child.segment));
      entries[child.part->to].back().set_not_before_ms(child.part->not_before_ms);
    }
  }
  std::vector<Announcement> announcements;
  announcements.reserve(entries.size());
  for (auto& [queue, added] : entries) announcements.push_back({queue, std::move(added)});
  const std::vector<Status> statuses = announce_all(store, announcements);
  std::set<QueueId> refusing;
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    if (is_kind(statuses[i], Error::Kind::kConflict)) {
      refusing.insert(announcements[i].to);
    } else {
      TRY(statuses[i]);
    }
  }
  for (Splitting& one : splits) {
    const bool is_refused = std::ranges::any_of(one.children, [&](const Child& child) { return refusing.contains(child.part->to); });
    if (is_refused) one.moved = Moved::kRefused;
  }
  return done();
}

bool names(const stored::Segment& source, const std::string& child) {
  return std::any_of(source.forwarded().begin(), source.forwarded().end(),
                     [&](const stored::Segment::Forwarding& forwarding) { return forwarding.child() == child; });
}

// The source without what goes, and with the children's names.
stored::Segment committed_source(const Split& wanted) {
  stored::Segment after = wanted.after;
  if (after.requests().empty()) after.clear_owner();
  for (const Part& part : wanted.parts) {
    auto& forwarding = *after.add_forwarded();
    forwarding.set_child(object_name(part.id).str());
    forwarding.set_queue(object_name(part.to).str());
    for (const stored::Request& request : part.requests) forwarding.add_ordinals(request.ordinal());
  }
  return after;
}

// What the write of the source has come to. Done: from here on the requests are the children's.
Status judge_commit(ports::ObjectStore& store, Splitting& one, const ports::StoreAnswer& answer, stored::Segment after) {
  one.moved = Moved::kLost;
  if (answer.ok()) {
    one.moved = Moved::kDone;
    one.source = SegmentAt{one.wanted->source, std::move(after), answer.value().version};
    return done();
  }
  const Error::Kind why = answer.error().kind;
  if (why == Error::Kind::kConflict || why == Error::Kind::kNotFound) return done();
  if (why != Error::Kind::kUnavailable) return answer.error();
  auto found = TRY(read_segment(store, one.wanted->source));
  if (found && found->version == one.wanted->at) return answer.error();
  if (!found || !names(found->segment, object_name(one.wanted->parts.front().id).str())) return done();
  one.moved = Moved::kDone;
  one.source = std::move(found);
  return done();
}

Status commit(ports::ObjectStore& store, std::vector<Splitting>& splits) {
  std::vector<ports::StoreCall> calls;
  std::vector<stored::Segment> written;
  std::vector<Splitting*> whose;
  for (Splitting& one : splits) {
    if (one.moved != Moved::kDone) continue;
    written.push_back(committed_source(*one.wanted));
    calls.push_back(ports::replace_call(object_name(one.wanted->source), one.wanted->at, encode(one.wanted->source, written.back())));
    whose.push_back(&one);
  }
  const auto answers = run_in_batches(store, calls);
  Status unknown;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    Status judged = judge_commit(store, *whose[i], answers[i], std::move(written[i]));
    whose[i]->is_unknown = !judged.ok();
    if (!judged.ok()) unknown = std::move(judged);
  }
  return unknown;
}

// Of what is committed the children get their owners: what is refused somebody else has completed, what is not answered somebody will. Of
// what never will be, they go; what cannot be removed now is garbage for others.
void complete_or_abandon(ports::ObjectStore& store, const std::vector<Splitting>& splits) {
  std::vector<ports::StoreCall> calls;
  for (const Splitting& one : splits) {
    if (one.is_unknown) continue;
    for (const Child& child : one.children) {
      if (one.moved == Moved::kDone) {
        calls.push_back(owner_write(child.part->id, child.version, child.segment, child.part->to));
      } else {
        calls.push_back(ports::remove_call(object_name(child.part->id), child.version));
      }
    }
  }
  (void)run_in_batches(store, calls);
}

}  // namespace

Result<std::vector<SplitDone>> split(ports::ObjectStore& store, std::span<const Split> wanted) {
  std::vector<Splitting> splits;
  splits.reserve(wanted.size());
  for (const Split& one : wanted) splits.push_back({&one, {}});
  TRY(create_children(store, splits));
  TRY(announce_children(store, splits));
  const Status committed = commit(store, splits);
  complete_or_abandon(store, splits);
  TRY(committed);
  std::vector<SplitDone> answers;
  answers.reserve(splits.size());
  for (Splitting& one : splits) answers.push_back({one.moved, std::move(one.source)});
  return answers;
}

Result<std::size_t> finish_splits(ports::ObjectStore& store, const SegmentId& source) {
  const auto parent = TRY(read_segment(store, source));
  if (!parent) return std::size_t{0};
  std::size_t completed = 0;
  for (const auto& forwarding : parent->segment.forwarded()) {
    const SegmentId id = TRY(parse_segment_name(forwarding.child()));
    const QueueId queue = TRY(parse_queue_name(forwarding.queue()));
    auto child = TRY(read_segment(store, id));
    if (!child || !child->is_owned_by(source)) continue;
    const std::vector<ports::StoreCall> flip{owner_write(id, child->version, std::move(child->segment), queue)};
    const Moved moved = TRY(outcome_of(store, store.run(flip).front(), id, child->version, queue));
    completed += moved == Moved::kDone ? 1 : 0;
  }
  return completed;
}

Result<bool> discard_child(ports::ObjectStore& store, const SegmentId& child) {
  const auto pending = TRY(read_segment(store, child));
  if (!pending || pending->segment.owner().empty()) return false;
  const Owner owner = TRY(parse_owner(pending->segment.owner()));
  const auto* source = std::get_if<SegmentId>(&owner);
  if (source == nullptr) return false;
  const auto parent = TRY(read_segment(store, *source));
  if (parent && names(parent->segment, object_name(child).str())) return false;
  // Whoever is about to commit has read this version: from here on it is refused.
  if (parent) TRY(store.replace(object_name(*source), parent->version, encode(*source, parent->segment)));
  const Status removed = store.remove(object_name(child), pending->version);
  if (is_kind(removed, Error::Kind::kConflict) || is_kind(removed, Error::Kind::kNotFound)) return false;
  TRY(removed);
  return true;
}

}  // namespace reclaim::archive
