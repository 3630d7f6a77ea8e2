#include "archive/enqueue.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "archive/ended.hpp"
#include "archive/ledger.hpp"
#include "archive/policies.hpp"
#include "sim/counting_database.hpp"
#include "unit/archive/desk.hpp"

namespace reclaim::archive {
namespace {

using samples::Desk;
using samples::kNow;
using samples::submission;
using samples::to_transfer;
using Strings = std::vector<std::string>;

std::vector<Submission> many(const std::string& file, int count) { return {static_cast<std::size_t>(count), submission(file)}; }

int count_ok(const std::vector<Result<Enqueued>>& answers) {
  int ok = 0;
  for (const Result<Enqueued>& answer : answers) ok += answer.ok() ? 1 : 0;
  return ok;
}

std::string refusal(const Result<Enqueued>& answer) {
  if (answer.ok()) return "";
  return std::string(name_of(answer.error().kind)) + " " + answer.error().field + ": " + answer.error().message;
}

// Does something once, before the first call of that kind.
class MeddlingStore : public ports::ObjectStore {
 public:
  explicit MeddlingStore(ports::ObjectStore& inner) : inner_(inner) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    for (const ports::StoreCall& call : calls) {
      if (!meddle || call.op != at || call.name.kind != "segment") continue;
      std::exchange(meddle, nullptr)();
    }
    return inner_.run(calls);
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    return inner_.list(kind, after, limit);
  }

  ports::StoreCall::Op at = ports::StoreCall::Op::kCreate;
  std::function<void()> meddle;

 private:
  ports::ObjectStore& inner_;
};

void reserve(ports::ObjectStore& store, const std::string& vid) {
  edit_queue(store, to_transfer(vid), [](stored::Queue& queue) -> Result<Edited> {
    queue.mutable_reservation()->set_agent("agent/m@1");
    return Edited::kWrite;
  }).value();
}

TEST(Enqueue, PutsARequestIntoTheQueueOfItsTape) {
  Desk desk({"V1"});
  desk.add_file("f1", {"V1"}, 70);
  Submission wanted = submission("f1");
  wanted.report_to = "http://requester.example/done";
  wanted.requester = "alice";
  wanted.priority = 5;
  const Enqueued enqueued = desk.enqueue(std::vector{wanted}).front().value();
  EXPECT_EQ(enqueued.vid, Vid("V1"));
  const SegmentAt at = read_segment(desk.memory, enqueued.id.origin).value().value();
  EXPECT_TRUE(at.is_owned_by(to_transfer("V1")));
  const stored::Request& request = at.segment.requests(0);
  EXPECT_EQ(request.ordinal(), enqueued.id.ordinal);
  EXPECT_EQ(request.file(), "f1");
  EXPECT_EQ(request.size(), 70U);
  EXPECT_EQ(request.checksum(), "adler32:1e0b0402");
  EXPECT_EQ(request.destination(), "out/f1");
  EXPECT_EQ(request.report_to(), "http://requester.example/done");
  EXPECT_EQ(request.requester(), "alice");
  EXPECT_EQ(request.priority(), 5);
  EXPECT_EQ(request.round(), 1U);
  EXPECT_EQ(request.created_ms(), samples::kNow + 1);
  EXPECT_EQ(desk.shown("V1"), 1U);
  EXPECT_EQ(desk.findings(), Strings());
}

TEST(Enqueue, AppendsAHundredToAnOpenTailInThreeCallsOfTwoRounds) {
  Desk desk({"V1"});
  desk.add_file("f1", {"V1"});
  desk.enqueue("f1").value();
  desk.store.take();
  EXPECT_EQ(count_ok(desk.enqueue(many("f1", 100))), 100);
  const sim::StoreCost cost = desk.store.take();
  EXPECT_LE(cost.count(), 3);
  EXPECT_LE(cost.batches, 2);
  EXPECT_EQ(desk.segments(), 1U);
  EXPECT_EQ(desk.shown("V1"), 101U) << "lists show what was appended";
  EXPECT_EQ(desk.queue("V1").pointers_size(), 1);
  EXPECT_EQ(desk.findings(), Strings());
}

TEST(Enqueue, TakesFewCallsForARequestInBatches) {
  Desk desk({"V1", "V2", "V3", "V4", "V5"});
  for (const char* vid : {"V1", "V2", "V3", "V4", "V5"}) desk.add_file(std::string("f") + vid, {vid});
  desk.store.take();
  constexpr int kRequests = 100'000;
  for (int i = 0; i < kRequests / 100; ++i) ASSERT_EQ(count_ok(desk.enqueue(many("fV" + std::to_string(i % 5 + 1), 100))), 100);
  const sim::StoreCost cost = desk.store.take();
  const double calls = static_cast<double>(cost.count()) / kRequests;
  RecordProperty("calls_per_request", std::to_string(calls));
  EXPECT_LE(calls, 0.05);
  EXPECT_EQ(desk.summary().in_queues.at(0), static_cast<std::uint64_t>(kRequests));
  EXPECT_EQ(desk.findings(), Strings());
}

TEST(Enqueue, AsksTheCatalogueTwiceHoweverManyTheyAre) {
  Desk desk({"V1"});
  desk.add_file("f1", {"V1"});
  sim::CountingDatabase counting(*desk.database);
  const Context through{counting, {kNow}, "test"};
  for (const int count : {1, 100, 2500}) {
    EXPECT_EQ(count_ok(desk.enqueuer.enqueue(through, many("f1", count), kNow)), count);
    const sim::Cost cost = counting.take();
    EXPECT_LE(cost.statements, 5);
    EXPECT_EQ(cost.begins, 2) << "what there is; and what came in, with which files are there still";
  }
}

TEST(Enqueue, GathersSingleRequestsInFewSegments) {
  Desk desk({"V1"});
  desk.add_file("f1", {"V1"});
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(desk.enqueue("f1").ok());
  EXPECT_LE(desk.segments(), 10U);
  EXPECT_EQ(desk.shown("V1"), 10'000U);
}

TEST(Enqueue, SpreadsABatchOverTheTapesOfItsFilesInOneGo) {
  Desk desk({"V1", "V2", "V3"});
  std::vector<Submission> wanted;
  for (int i = 0; i < 300; ++i) {
    desk.add_file("f" + std::to_string(i), {"V1", "V2", "V3"});
    wanted.push_back(submission("f" + std::to_string(i)));
  }
  desk.store.take();
  EXPECT_EQ(count_ok(desk.enqueue(wanted)), 300);
  EXPECT_LE(desk.store.take().batches, 7) << "queues, list, creations, queues twice, owners, and the list once more";
  for (const char* vid : {"V1", "V2", "V3"}) EXPECT_NEAR(static_cast<double>(desk.shown(vid)), 100, 40) << vid;
  EXPECT_EQ(desk.findings(), Strings());
}

TEST(Enqueue, AnswersEachByItself) {
  Desk desk({"V1", "V2"});
  desk.add_file("f1", {"V1"});
  desk.add_file("f2", {"V2"});
  desk.add_file("bare", {});
  put_policy(desk.context, {.name = PolicyName("p1")}).value();
  ask_tape_state(desk.context, Vid("V2"), TapeState::kExported, "to the vault").value();
  std::vector<Submission> wanted{submission("f1"),   submission("none"), submission("f1"), submission("f2"),
                                 submission("bare"), submission("f1"),   submission("f1")};
  wanted[2].destination = "../etc/passwd";
  wanted[5].policy = PolicyName("p2");
  wanted[6].policy = PolicyName("p1");
  const auto answers = desk.enqueue(wanted);
  EXPECT_EQ(refusal(answers[0]), "");
  EXPECT_EQ(refusal(answers[1]), "invalid file: no file none");
  EXPECT_EQ(refusal(answers[2]), "invalid destination: must be a relative path of which no component begins with a dot");
  EXPECT_EQ(refusal(answers[3]), "conflict : no tape can serve file f2: V2 is EXPORTED_PENDING: \"to the vault\"");
  EXPECT_EQ(refusal(answers[4]), "conflict : file bare has no copy");
  EXPECT_EQ(refusal(answers[5]), "invalid policy: no policy p2");
  EXPECT_EQ(refusal(answers[6]), "");
  EXPECT_EQ(desk.shown("V1"), 2U);
}

TEST(Enqueue, BeginsANewSegmentWhereATakerWasFaster) {
  Desk desk({"V1"});
  desk.add_file("f1", {"V1"});
  const Enqueued first = desk.enqueue("f1").value();
  desk.take_all("V1");

  const Enqueued second = desk.enqueue("f1").value();
  EXPECT_NE(second.id.origin, first.id.origin);
  EXPECT_EQ(read_segment(desk.memory, first.id.origin).value().value().segment.requests_size(), 1) << "what was taken is as it was";
  desk.enqueue("f1").value();
  EXPECT_EQ(desk.segments(), 2U) << "the new one is the tail now";
  EXPECT_EQ(desk.summary().with_agents, 1U);
  EXPECT_EQ(desk.summary().in_queues.at(0), 2U);
}

TEST(Enqueue, KeepsSegmentsWithinTheirLimits) {
  Desk desk({"V1", "V2"});
  desk.add_file("f1", {"V1"});
  desk.add_file("f2", {"V2"});
  EXPECT_EQ(count_ok(desk.enqueue(many("f1", 2500))), 2500);
  EXPECT_EQ(desk.segments(), 2U);
  Submission large = submission("f2");
  large.destination.clear();
  for (int i = 0; i < 16; ++i) large.destination += std::string(i == 0 ? "" : "/") + std::string(250, 'd');
  EXPECT_EQ(count_ok(desk.enqueue({1000, large})), 1000);
  EXPECT_EQ(desk.segments(), 4U) << "by their bytes";
  for (const std::string& key : desk.memory.list_all("segment").value()) {
    EXPECT_LE(desk.memory.read({"segment", key}).value().bytes.size(), kSegmentBytesMax);
  }
  EXPECT_EQ(desk.findings(), Strings());
}

TEST(Enqueue, KeepsFewTailsOpenAndLetsAllOfThemGoWhenItRests) {
  Desk desk({});
  std::vector<Submission> wanted;
  for (int i = 100; i < 100 + static_cast<int>(kTailsMax) + 10; ++i) {
    const std::string vid = "V" + std::to_string(i);
    desk.add_tape(vid);
    desk.add_file("f" + vid, {vid.c_str()});
    wanted.push_back(submission("f" + vid));
  }
  EXPECT_EQ(count_ok(desk.enqueue(wanted)), static_cast<int>(wanted.size()));
  EXPECT_EQ(desk.agent->owned().size(), kTailsMax);
  desk.enqueuer.rest();
  EXPECT_TRUE(desk.agent->owned().empty());
  EXPECT_TRUE(desk.agent->leave().ok());
  EXPECT_EQ(desk.findings(), Strings());
}

TEST(Enqueue, ChoosesAgainWhereAQueueCameUnderCleanupMeanwhile) {
  Desk desk({"V1", "V2"});
  desk.add_file("f1", {"V1"});
  desk.add_file("f2", {"V1", "V2"});
  ask_tape_state(desk.context, Vid("V2"), TapeState::kDisabled, "slow").value();
  MeddlingStore meddling(desk.store);
  Hand hand(meddling, *desk.agent);
  Enqueuer enqueuer(hand);
  meddling.meddle = [&] { reserve(desk.memory, "V1"); };
  const auto answers = enqueuer.enqueue(desk.context, std::vector{submission("f1"), submission("f2")}, samples::kNow);
  EXPECT_EQ(refusal(answers[0]), "conflict : no tape can serve file f1: V1 is ACTIVE, but its queue takes nothing now");
  EXPECT_EQ(answers[1].value().vid, Vid("V2"));
  EXPECT_EQ(desk.segments(), 1U) << "of the segment that was to go there nothing is left";
  EXPECT_EQ(desk.queue("V1").pointers_size(), 0);
}

TEST(Enqueue, TakesARequestBackWhoseFileWasRemovedInTheSameMoment) {
  Desk desk({"V1"});
  desk.add_file("f1", {"V1"});
  desk.add_file("f2", {"V1"});
  MeddlingStore meddling(desk.store);
  Hand hand(meddling, *desk.agent);
  Enqueuer enqueuer(hand);
  meddling.meddle = [&] { remove_file(desk.context, FileId("f1"), [] { return Result<bool>(false); }).value(); };
  const std::vector<Submission> wanted{submission("f1"), submission("f2"), submission("f1")};
  const auto answers = enqueuer.enqueue(desk.context, wanted, samples::kNow);
  for (const std::size_t gone : {0U, 2U}) EXPECT_EQ(refusal(answers[gone]), "invalid file: no file f1");
  const SegmentAt at = read_segment(desk.memory, answers[1].value().id.origin).value().value();
  ASSERT_EQ(at.segment.requests_size(), 1);
  EXPECT_EQ(at.segment.requests(0).file(), "f2");
  EXPECT_EQ(desk.findings(), Strings());
  EXPECT_EQ(count_ended(desk.context).value().removed, 2) << "whoever keeps a ledger finds them";
  EXPECT_EQ(take_ledger(desk.context, desk.memory).value().ledger.unaccounted(), 0);
}

}  // namespace
}  // namespace reclaim::archive
