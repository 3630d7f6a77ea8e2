#include "fleet/fence.hpp"

#include <gtest/gtest.h>

namespace reclaim::fleet {
namespace {

// A worker whose third session has been answered to sync 7, at high-water mark 100, under lineage `now`.
WorkerRow worker() {
  WorkerRow row;
  row.name = "w1";
  row.incarnation = "disk";
  row.session = "third";
  row.started = 3;
  row.sequence = 7;
  row.change = 100;
  return row;
}

wire::SyncRequest next_sync() {
  return {
      .session = "third", .incarnation = "disk", .started = 3, .sequence = 8, .as_of = 100, .answered = wire::Answered{"now", "third", 7}};
}

Remembered memory() { return {.lineage = "now", .session_was_here = true, .incarnation_was_here = true}; }

std::string verdict(const WorkerRow& row, const Remembered& remembered, const wire::SyncRequest& request) {
  const auto admitted = admit(row, remembered, request);
  if (const auto* refusal = std::get_if<Refusal>(&admitted)) return to_error(*refusal).field;
  switch (std::get<Admission>(admitted)) {
    case Admission::kSameSession: return "same session";
    case Admission::kNewSession: return "new session";
    case Admission::kNewIncarnation: return "new incarnation";
  }
  return "";
}

TEST(Fence, AdmitsTheNextSync) { EXPECT_EQ(verdict(worker(), memory(), next_sync()), "same session"); }

TEST(Fence, ASequenceOnlyGrows) {
  wire::SyncRequest request = next_sync();
  request.sequence = 7;
  EXPECT_EQ(verdict(worker(), memory(), request), "sequence");
}

TEST(Fence, ASessionKeepsItsCounterAndItsIncarnation) {
  wire::SyncRequest request = next_sync();
  request.started = 4;
  EXPECT_EQ(verdict(worker(), memory(), request), "session");
  request = next_sync();
  request.incarnation = "another";
  EXPECT_EQ(verdict(worker(), memory(), request), "session");
}

TEST(Fence, OfTwoSessionsTheLaterStartIsTheWorker) {
  Remembered unseen = memory();
  unseen.session_was_here = false;
  for (const auto& [started, expected] : {std::pair(2, "session"), std::pair(3, "session"), std::pair(4, "new session")}) {
    wire::SyncRequest request = next_sync();
    request.session = "fourth";
    request.started = started;
    EXPECT_EQ(verdict(worker(), unseen, request), expected) << started;
  }
}

TEST(Fence, ASessionThatWasSupersededNeverComesBack) {
  wire::SyncRequest request = next_sync();
  request.session = "second";
  request.started = 9;
  EXPECT_EQ(verdict(worker(), memory(), request), "session");
  WorkerRow accepted = worker();
  accepted.session_accepted = true;
  EXPECT_EQ(verdict(accepted, memory(), request), "session") << "not even when the operator lets any start counter through";
}

TEST(Fence, AnotherIncarnationNeedsSomebodysWord) {
  Remembered unseen{.lineage = "now"};
  wire::SyncRequest request = next_sync();
  request.session = "elsewhere";
  request.incarnation = "another";
  request.answered.reset();
  EXPECT_EQ(verdict(worker(), unseen, request), "lineage") << "held";
  WorkerRow accepted = worker();
  accepted.accepted_incarnation = "another";
  EXPECT_EQ(verdict(accepted, unseen, request), "new incarnation");
  request.accepts_new_incarnation = true;
  EXPECT_EQ(verdict(worker(), unseen, request), "new incarnation");
  unseen.incarnation_was_here = true;
  EXPECT_EQ(verdict(worker(), unseen, request), "session") << "but the worker's own consent brings no former one back";
}

TEST(Fence, AnAnswerAboveWhatIsRememberedIsAmnesia) {
  wire::SyncRequest request = next_sync();
  request.answered->sequence = 8;
  request.sequence = 9;
  EXPECT_EQ(verdict(worker(), memory(), request), "lineage");
}

TEST(Fence, AnAnswerInASessionThatIsNotRememberedIsAmnesia) {
  wire::SyncRequest request = next_sync();
  request.session = "fourth";
  request.started = 4;
  request.as_of = 0;
  Remembered remembered{.lineage = "now", .incarnation_was_here = true};
  EXPECT_EQ(verdict(worker(), remembered, request), "new session") << "the present session is";
  request.answered->session = "lost";
  EXPECT_EQ(verdict(worker(), remembered, request), "lineage");
  remembered.answered_sequence = 7;
  EXPECT_EQ(verdict(worker(), remembered, request), "new session") << "a superseded one is";
  remembered.answered_sequence = 6;
  EXPECT_EQ(verdict(worker(), remembered, request), "lineage") << "but not so far";
}

TEST(Fence, AReplacedLineageIsNotComparedButBegunAnew) {
  wire::SyncRequest request = next_sync();
  request.answered = wire::Answered{"before", "lost", 999};
  EXPECT_EQ(verdict(worker(), memory(), request), "lineage") << "a lineage that nobody knows";
  Remembered replaced = memory();
  replaced.answered_is_replaced = true;
  EXPECT_EQ(verdict(worker(), replaced, request), "lineage") << "not at an as_of of before";
  request.as_of = 0;
  EXPECT_EQ(verdict(worker(), replaced, request), "same session");
  request.inventories.volumes = wire::Inventory{.base = 5};
  EXPECT_EQ(verdict(worker(), replaced, request), "lineage") << "not with a delta";
}

TEST(Fence, AWorkerThatHasToBeginAnewMayQuoteNothing) {
  WorkerRow row = worker();
  row.anew = true;
  wire::SyncRequest request = next_sync();
  request.answered.reset();
  request.same = true;
  EXPECT_EQ(verdict(row, memory(), request), "lineage");
}

}  // namespace
}  // namespace reclaim::fleet
