#include "archive/split.hpp"

#include <algorithm>
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

// Until the source names them they are garbage, which the owner field says: it is the source.
Result<std::vector<Child>> create_children(ports::ObjectStore& store, const Split& wanted) {
  std::vector<Child> children;
  std::vector<ports::StoreCall> calls;
  for (const Part& part : wanted.parts) {
    stored::Segment segment;
    segment.set_owner(object_name(wanted.source).str());
    segment.set_origin(wanted.after.origin());
    for (const stored::Request& request : part.requests) *segment.add_requests() = request;
    calls.push_back(ports::create_call(object_name(part.id), encode(part.id, segment)));
    children.push_back({&part, {}, std::move(segment)});
  }
  const auto answers = run_in_batches(store, calls);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    // Names are fresh: whatever is there after an answer was lost is what was to be there.
    const bool is_unsure = !answers[i].ok() && answers[i].error().kind == Error::Kind::kUnavailable;
    children[i].version = TRY(is_unsure ? store.read(calls[i].name) : Result<ports::Object>(answers[i])).version;
  }
  return children;
}

Status announce_children(ports::ObjectStore& store, const std::vector<Child>& children) {
  for (const Child& child : children) {
    const auto entry = summarize(child.part->id, child.version, child.segment);
    TRY(announce(store, child.part->to, std::span(&entry, 1)));
  }
  return done();
}

// Not committed, and never will be: the one who would have committed calls this. What cannot be removed now is garbage for others.
void abandon(ports::ObjectStore& store, const std::vector<Child>& children) {
  std::vector<ports::StoreCall> calls;
  calls.reserve(children.size());
  for (const Child& child : children) calls.push_back(ports::remove_call(object_name(child.part->id), child.version));
  (void)store.run(calls);
}

bool names(const stored::Segment& source, const std::string& child) {
  return std::any_of(source.forwarded().begin(), source.forwarded().end(),
                     [&](const stored::Segment::Forwarding& forwarding) { return forwarding.child() == child; });
}

// Done: from here on the requests are the children's.
Result<Moved> commit(ports::ObjectStore& store, const Split& wanted) {
  stored::Segment after = wanted.after;
  if (after.requests().empty()) after.clear_owner();
  for (const Part& part : wanted.parts) {
    auto& forwarding = *after.add_forwarded();
    forwarding.set_child(object_name(part.id).str());
    forwarding.set_queue(object_name(part.to).str());
    for (const stored::Request& request : part.requests) forwarding.add_ordinals(request.ordinal());
  }
  const Result<ports::Version> written = store.replace(object_name(wanted.source), wanted.at, encode(wanted.source, after));
  if (written.ok()) return Moved::kDone;
  const Error::Kind why = written.error().kind;
  if (why == Error::Kind::kConflict || why == Error::Kind::kNotFound) return Moved::kLost;
  if (why != Error::Kind::kUnavailable) return written.error();
  const auto found = TRY(read_segment(store, wanted.source));
  if (found && found->version == wanted.at) return written.error();
  return found && names(found->segment, object_name(wanted.parts.front().id).str()) ? Moved::kDone : Moved::kLost;
}

}  // namespace

Result<Moved> split(ports::ObjectStore& store, const Split& wanted) {
  const std::vector<Child> children = TRY(create_children(store, wanted));
  const Status announced = announce_children(store, children);
  if (!announced.ok()) {
    abandon(store, children);
    return announced.error().kind == Error::Kind::kConflict ? Result<Moved>(Moved::kRefused) : announced.error();
  }
  const Moved committed = TRY(commit(store, wanted));
  if (committed != Moved::kDone) {
    abandon(store, children);
    return committed;
  }
  std::vector<ports::StoreCall> flips;
  flips.reserve(children.size());
  for (const Child& child : children) flips.push_back(owner_write(child.part->id, child.version, child.segment, child.part->to));
  // What is refused somebody else has completed; what is not answered somebody will.
  (void)run_in_batches(store, flips);
  return Moved::kDone;
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
