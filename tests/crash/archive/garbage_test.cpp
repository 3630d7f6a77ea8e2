// Somebody takes the children of a split for garbage, between two calls of whoever is about to commit it, each in turn: either the split is
// undone, or its children are named and stay. No request is lost, none is there twice (A1, A2).
#include <gtest/gtest.h>

#include <cstdio>
#include <set>

#include "adapters/objects_memory/memory_store.hpp"
#include "archive/split.hpp"
#include "crash/hands/hands.hpp"

namespace reclaim::archive {
namespace {

using samples::Interrupted;
using samples::put_into;

const QueueId kFrom{Vid("V1"), QueueType::kToTransfer};
const QueueId kTo{Vid("V2"), QueueType::kToTransfer};
const QueueId kThird{Vid("V3"), QueueType::kToTransfer};
constexpr SegmentId kSource{1000, 1};
constexpr SegmentId kChildren[] = {{1000, 2}, {1000, 3}};

// 1 to one tape, 2 to another, 3 stays.
Split division(ports::ObjectStore& store) {
  const SegmentAt source = read_segment(store, kSource).value().value();
  Split wanted{kSource, source.version, source.segment, {}};
  wanted.parts.push_back({kChildren[0], kTo, {source.segment.requests(0)}});
  wanted.parts.push_back({kChildren[1], kThird, {source.segment.requests(1)}});
  wanted.after.mutable_requests()->DeleteSubrange(0, 2);
  return wanted;
}

std::multiset<std::uint32_t> requests_in(ports::ObjectStore& store) {
  std::multiset<std::uint32_t> found;
  for (const std::string& key : store.list_all("segment").value()) {
    const SegmentAt at = read_segment(store, parse_segment_name("segment/" + key).value()).value().value();
    for (const stored::Request& request : at.segment.requests()) found.insert(request.ordinal());
  }
  return found;
}

TEST(Splits, WhoseChildrenAreTakenForGarbageAtAnyMomentLoseNothing) {
  int pauses = 0;
  for (bool is_reached = true; is_reached; ++pauses) {
    objects_memory::MemoryStore store;
    put_into(store, kFrom, kSource, {1, 2, 3});
    const Split wanted = division(store);
    Interrupted paused(store, pauses, [&] { (void)discard_child(store, kChildren[0]).value(); });
    (void)split(paused, std::span(&wanted, 1)).value();
    is_reached = paused.has_happened();
    finish_splits(store, kSource).value();
    for (const SegmentId& child : kChildren) (void)discard_child(store, child).value();
    EXPECT_EQ(requests_in(store), (std::multiset<std::uint32_t>{1, 2, 3})) << "taken for garbage before call " << pauses;
  }
  std::printf("crash points: garbage beside a split: %d\n", pauses);
}

}  // namespace
}  // namespace reclaim::archive
