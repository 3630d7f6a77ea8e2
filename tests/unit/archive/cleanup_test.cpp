#include "archive/cleanup.hpp"

#include <gtest/gtest.h>

#include "adapters/database_sqlite/sqlite.hpp"
#include "adapters/objects_memory/memory_store.hpp"
#include "archive/queues.hpp"
#include "archive/tapes.hpp"

namespace reclaim::archive {
namespace {

struct Archive {
  Archive() {
    for (const char* vid : {"V1", "V2"}) {
      add_tape(context, {.vid = Vid(vid), .pool = PoolName("p"), .library = LibraryName("l")}).value();
      ask_tape_state(context, Vid(vid), TapeState::kBroken, "torn").value();
    }
  }

  TapeState state_of(const char* vid) { return find_tape(context, Vid(vid)).value().spec.state; }

  std::unique_ptr<ports::Database> database = database_sqlite::open_sqlite({}).value();
  objects_memory::MemoryStore store;
  Context context{*database, {1}, "pass:cleanup"};
};

TEST(Cleanup, EndsTheStayOfATapeWithoutRequests) {
  Archive archive;
  const CleanupReport report = clean_up(archive.context, archive.store).value();
  EXPECT_EQ(report.finished, 2u);
  EXPECT_EQ(archive.state_of("V1"), TapeState::kBroken);
  EXPECT_EQ(clean_up(archive.context, archive.store).value().finished, 0u);
}

TEST(Cleanup, LeavesATapeWhoseQueueHoldsSomething) {
  Archive archive;
  const QueueId queue{Vid("V1"), QueueType::kToTransfer};
  const SegmentId id{3, 1};
  stored::Segment segment;
  segment.set_owner(object_name(queue).str());
  segment.set_origin(object_name(id).str());
  auto& request = *segment.add_requests();
  request.set_ordinal(1);
  request.set_file("f1");
  request.set_destination("f1");
  request.add_copies()->set_vid("V1");
  request.mutable_copies(0)->set_fseq(1);
  const ports::Version version = archive.store.create(object_name(id), encode(id, segment)).value();
  const auto entry = summarize(id, version, segment);
  announce(archive.store, queue, std::span(&entry, 1)).value();

  const CleanupReport report = clean_up(archive.context, archive.store).value();
  EXPECT_EQ(report.waiting, 1u);
  EXPECT_EQ(archive.state_of("V1"), TapeState::kBrokenPending);
  EXPECT_EQ(archive.state_of("V2"), TapeState::kBroken) << "which nobody else's requests delay";

  archive.store.remove(object_name(id), version).value();
  EXPECT_EQ(clean_up(archive.context, archive.store).value().finished, 1u) << "an entry that points to nothing holds nothing";
  EXPECT_EQ(archive.state_of("V1"), TapeState::kBroken);
}

TEST(Cleanup, OfATapeWhoseQueueCannotBeReadIsAProblemAndNoBodyElses) {
  Archive archive;
  archive.store.create(object_name(QueueId{Vid("V1"), QueueType::kToTransfer}), "rubbish").value();
  const CleanupReport report = clean_up(archive.context, archive.store).value();
  EXPECT_EQ(report.finished, 1u);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_NE(report.problems[0].find("tape V1: object queue/V1.t"), std::string::npos) << report.problems[0];
  EXPECT_EQ(archive.state_of("V1"), TapeState::kBrokenPending);
}

}  // namespace
}  // namespace reclaim::archive
