#include "archive/segments.hpp"

#include <utility>

namespace reclaim::archive {

SegmentReading reading_of(const SegmentId& id, ports::StoreAnswer answer) {
  if (!answer.ok()) {
    if (answer.error().kind == Error::Kind::kNotFound) return {std::optional<SegmentAt>()};
    return {answer.error()};
  }
  Result<DecodedSegment> decoded = decode_segment(id, answer.value().bytes);
  if (!decoded.ok()) return {decoded.error(), std::move(answer).value()};
  return {std::optional(SegmentAt{id, std::move(decoded).value().segment, answer.value().version})};
}

std::vector<SegmentReading> read_each_segment(ports::ObjectStore& store, std::span<const SegmentId> ids) {
  std::vector<ports::StoreCall> reads;
  reads.reserve(ids.size());
  for (const SegmentId& id : ids) reads.push_back(ports::read_call(object_name(id)));
  std::vector<SegmentReading> readings;
  readings.reserve(ids.size());
  for (ports::StoreAnswer& answer : store.run(reads)) readings.push_back(reading_of(ids[readings.size()], std::move(answer)));
  return readings;
}

Result<std::vector<std::optional<SegmentAt>>> read_segments(ports::ObjectStore& store, std::span<const SegmentId> ids) {
  std::vector<std::optional<SegmentAt>> found;
  found.reserve(ids.size());
  for (SegmentReading& reading : read_each_segment(store, ids)) found.push_back(TRY(std::move(reading.segment)));
  return found;
}

Result<std::optional<SegmentAt>> read_segment(ports::ObjectStore& store, const SegmentId& id) {
  std::vector<std::optional<SegmentAt>> found = TRY(read_segments(store, std::span(&id, 1)));
  return std::move(found.front());
}

ports::StoreCall owner_write(const SegmentId& id, ports::Version at, stored::Segment after, const Owner& owner) {
  after.set_owner(object_name(owner).str());
  return ports::replace_call(object_name(id), at, encode(id, after));
}

namespace {

// What one batch may weigh: half of what the store takes, for a segment is as large as it is.
constexpr std::size_t kBatchBytes = ports::kStoreBatchBytesMax / 2;

// An owner write whose answer was lost: has it arrived?
Result<Moved> look_after(ports::ObjectStore& store, const SegmentId& id, ports::Version at, const Owner& wanted) {
  const auto found = TRY(read_segment(store, id));
  if (!found) return Moved::kLost;
  if (found->version == at) return unavailable(object_name(id).str() + " could not be written");
  return found->is_owned_by(wanted) ? Moved::kDone : Moved::kLost;
}

}  // namespace

// Consecutive calls that fit into one batch.
std::vector<ports::StoreAnswer> run_in_batches(ports::ObjectStore& store, const std::vector<ports::StoreCall>& calls) {
  std::vector<ports::StoreAnswer> answers;
  for (std::size_t from = 0; from < calls.size();) {
    std::size_t to = from;
    for (std::size_t bytes = 0; to < calls.size() && to - from < ports::kStoreBatchMax; ++to) {
      bytes += calls[to].bytes.size();
      if (to > from && bytes > kBatchBytes) break;
    }
    auto some = store.run(std::span(calls).subspan(from, to - from));
    std::move(some.begin(), some.end(), std::back_inserter(answers));
    from = to;
  }
  return answers;
}

Result<Moved> outcome_of(ports::ObjectStore& store, const ports::StoreAnswer& answer, const SegmentId& id, ports::Version at,
                         const Owner& wanted) {
  if (answer.ok()) return Moved::kDone;
  const Error::Kind why = answer.error().kind;
  if (why == Error::Kind::kConflict || why == Error::Kind::kNotFound) return Moved::kLost;
  if (why != Error::Kind::kUnavailable) return answer.error();
  return look_after(store, id, at, wanted);
}

}  // namespace reclaim::archive
