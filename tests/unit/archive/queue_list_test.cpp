#include "archive/queue_list.hpp"

#include <gtest/gtest.h>

#include "adapters/database_sqlite/sqlite.hpp"
#include "adapters/objects_memory/memory_store.hpp"
#include "archive/queues.hpp"
#include "archive/tapes.hpp"

namespace reclaim::archive {
namespace {

constexpr QueueType kToTransfer = QueueType::kToTransfer;
constexpr QueueType kToReport = QueueType::kToReport;
constexpr QueueType kFailed = QueueType::kFailed;

stored::Queue::Pointer pointer(std::uint64_t segment, std::uint32_t requests, std::int64_t oldest_ms = 5000, std::uint64_t expects = 1) {
  stored::Queue::Pointer entry;
  entry.set_segment(object_name(SegmentId{3, segment}).str());
  entry.set_expects(expects);
  entry.set_requests(requests);
  entry.set_bytes(std::uint64_t{1000} * requests);
  entry.set_oldest_ms(oldest_ms);
  return entry;
}

struct Archive {
  void add(const char* vid, TapeState state = TapeState::kActive) {
    const std::string reason = state == TapeState::kActive ? "" : "why";
    add_tape(context, {.vid = Vid(vid), .pool = PoolName("p"), .library = LibraryName("l"), .state = state, .reason = reason}).value();
  }
  void put(const QueueId& id, std::initializer_list<stored::Queue::Pointer> entries, const char* cleaner = nullptr) {
    edit_queue(store, id, [&](stored::Queue& queue) -> Result<Edited> {
      for (const auto& entry : entries) *queue.add_pointers() = entry;
      if (cleaner != nullptr) {
        queue.mutable_reservation()->set_agent(cleaner);
        queue.mutable_reservation()->set_since_ms(7000);
        queue.mutable_reservation()->set_done(4);
        queue.mutable_reservation()->set_left(6);
      }
      return Edited::kWrite;
    }).value();
  }
  std::vector<std::string> keys(const QueueFilter& filter = {}, const std::string& after = "", std::size_t limit = 100) {
    std::vector<std::string> found;
    for (const ListedQueue& queue : list_queues(context, store, filter, after, limit).value()) found.push_back(queue.key());
    return found;
  }
  ListedQueue only(const QueueId& id) { return list_queues(context, store, {.vid = id.vid, .type = id.type}, "", 100).value().at(0); }
  bool is_due(const char* vid) {
    const std::optional<QueueCleanup> cleanup = only({Vid(vid), kToTransfer}).cleanup;
    return cleanup && cleanup->requested;
  }

  std::unique_ptr<ports::Database> database = database_sqlite::open_sqlite({}).value();
  objects_memory::MemoryStore store;
  Context context{*database, {10'000}, "test"};
};

using Keys = std::vector<std::string>;

TEST(QueueList, FiguresAreSumsOverSegmentsEachCountedOnce) {
  Archive archive;
  archive.put({Vid("V1"), kToTransfer}, {pointer(1, 3, 5000), pointer(2, 4, 2000), pointer(1, 2, 6000, 9)});
  const QueueFigures figures = archive.only({Vid("V1"), kToTransfer}).figures;
  EXPECT_EQ(figures.requests, 6u) << "the younger pointer to a segment counts";
  EXPECT_EQ(figures.bytes, 6000u);
  EXPECT_EQ(figures.oldest, WallTime{2000});
}

TEST(QueueList, AQueueWithoutRequestsHasNoOldest) {
  Archive archive;
  archive.put({Vid("V1"), kFailed}, {});
  EXPECT_EQ(archive.only({Vid("V1"), kFailed}).figures.oldest, std::nullopt);
}

TEST(QueueList, IsByKeyPageByPageAndFilteredByTapeTypeAndCleanup) {
  Archive archive;
  archive.add("V1");
  archive.add("V2", TapeState::kBroken);
  for (const char* vid : {"V1", "V2", "V2.t"}) {
    for (const QueueType type : kQueueTypes) archive.put({Vid(vid), type}, {pointer(1, 1)});
  }
  EXPECT_EQ(archive.keys(), (Keys{"V1.f", "V1.r", "V1.t", "V2.f", "V2.r", "V2.t", "V2.t.f", "V2.t.r", "V2.t.t"}));
  EXPECT_EQ(archive.keys({}, "V1.r", 2), (Keys{"V1.t", "V2.f"}));
  EXPECT_EQ(archive.keys({.vid = Vid("V2")}), (Keys{"V2.f", "V2.r", "V2.t"})) << "and not those of V2.t";
  EXPECT_EQ(archive.keys({.vid = Vid("V2")}, "V2.f"), (Keys{"V2.r", "V2.t"}));
  EXPECT_EQ(archive.keys({.type = kToReport}), (Keys{"V1.r", "V2.r", "V2.t.r"}));
  EXPECT_EQ(archive.keys({.cleanup = true}), (Keys{"V2.t", "V2.t.t"})) << "V2.t is no tape";
  EXPECT_EQ(archive.keys({.vid = Vid("V2"), .cleanup = false}), (Keys{"V2.f", "V2.r"}));
  EXPECT_FALSE(list_queues(archive.context, archive.store, {}, "..", 1).ok());
}

TEST(QueueList, OfMoreQueuesThanFitIntoABatchNoneIsMissing) {
  Archive archive;
  for (int i = 100; i < 300; ++i) archive.put({Vid("V" + std::to_string(i)), i % 2 == 0 ? kToTransfer : kFailed}, {pointer(1, 1)});
  EXPECT_EQ(archive.keys({}, "", 1000).size(), 200u);
  EXPECT_EQ(archive.keys({.type = kFailed}, "", 90).size(), 90u);
  EXPECT_EQ(count_all_requests(archive.store).value(), (RequestsByType{100, 0, 100}));
}

TEST(QueueList, CleanupIsDueWhereATapeDoesNotAcceptWhatWaits) {
  Archive archive;
  for (const auto& [vid, state] : std::initializer_list<std::pair<const char*, TapeState>>{{"VA", TapeState::kActive},
                                                                                           {"VD", TapeState::kDisabled},
                                                                                           {"VR", TapeState::kRepacking},
                                                                                           {"VS", TapeState::kRepackingDisabled},
                                                                                           {"VB", TapeState::kBroken},
                                                                                           {"VE", TapeState::kExported}}) {
    archive.add(vid, state);
    stored::Queue::Pointer repack = pointer(2, 1);
    repack.set_repack(true);
    archive.put({Vid(vid), kToTransfer}, {pointer(1, 1)});
    const bool users = archive.is_due(vid);
    edit_queue(archive.store, {Vid(vid), kToTransfer}, [&](stored::Queue& queue) -> Result<Edited> {
      *queue.mutable_pointers(0) = repack;
      return Edited::kWrite;
    }).value();
    const bool repacks = archive.is_due(vid);
    EXPECT_EQ(users, state != TapeState::kActive && state != TapeState::kDisabled) << vid;
    EXPECT_EQ(repacks, state != TapeState::kRepacking && state != TapeState::kRepackingDisabled) << vid;
  }
}

TEST(QueueList, APendingTapesQueueIsDueWhateverItHolds) {
  Archive archive;
  archive.add("V1");
  archive.put({Vid("V1"), kToTransfer}, {});
  EXPECT_FALSE(archive.is_due("V1"));
  ask_tape_state(archive.context, Vid("V1"), TapeState::kBroken, "torn").value();
  EXPECT_TRUE(archive.is_due("V1"));
}

TEST(QueueList, ACleanerIsShownOnBothQueuesAndAFinishedTapeStillShowsIt) {
  Archive archive;
  archive.add("V1");
  for (const QueueType type : {kToTransfer, kToReport}) archive.put({Vid("V1"), type}, {pointer(1, 1)}, "agent/maintenance@17");
  for (const QueueType type : {kToTransfer, kToReport}) {
    const std::optional<QueueCleanup> cleanup = archive.only({Vid("V1"), type}).cleanup;
    ASSERT_TRUE(cleanup && cleanup->cleaner);
    EXPECT_FALSE(cleanup->requested) << "the tape is back in service";
    EXPECT_EQ(cleanup->cleaner->agent, (agents::AgentId{"maintenance", 17}));
    EXPECT_EQ(cleanup->cleaner->since, WallTime{7000});
    EXPECT_EQ(cleanup->cleaner->done, 4u);
    EXPECT_EQ(cleanup->cleaner->left, 6u);
  }
}

TEST(QueueList, AQueueThatCannotBeReadHindersNoOther) {
  Archive archive;
  archive.put({Vid("V1"), kToTransfer}, {pointer(1, 1)});
  archive.put({Vid("V3"), kToTransfer}, {pointer(1, 2)});
  archive.store.create(object_name(QueueId{Vid("V2"), kToTransfer}), "junk").value();
  archive.store.create({"queue", "nobody"}, "junk").value();
  EXPECT_EQ(archive.keys(), (Keys{"V1.t", "V2.t", "V3.t"}));
  EXPECT_NE(archive.only({Vid("V2"), kToTransfer}).problem, "");
  EXPECT_EQ(count_all_requests(archive.store).value(), (RequestsByType{3, 0, 0}));
}

TEST(QueueList, ATapesRequestsAreThoseToTransferAndToReport) {
  Archive archive;
  archive.put({Vid("V1"), kToTransfer}, {pointer(1, 3)});
  archive.put({Vid("V1"), kToReport}, {pointer(2, 4)});
  archive.put({Vid("V1"), kFailed}, {pointer(3, 5)});
  const Vid vids[] = {Vid("V1"), Vid("V2")};
  EXPECT_EQ(count_requests(archive.store, vids).value(), (std::map<Vid, std::uint64_t>{{Vid("V1"), 7}, {Vid("V2"), 0}}));
}

}  // namespace
}  // namespace reclaim::archive
