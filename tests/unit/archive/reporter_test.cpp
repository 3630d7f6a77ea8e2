#include "archive/reporter.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "archive/failed.hpp"
#include "support/reporting.hpp"

namespace reclaim::archive {
namespace {

using namespace std::chrono_literals;
using test::delivered;
using test::failed;
using test::failed_queue;
using test::Ids;
using test::kAnswers;
using test::kHangs;
using test::kRefuses;
using test::Process;
using test::to_report;

constexpr SegmentId kFirst{90, 1};
constexpr SegmentId kSecond{90, 2};

class ReporterTest : public testing::Test, protected test::Reporting {
 protected:
  ReporterReport pass(std::size_t budget = Process::kBudget) {
    ReporterReport done = report_once(reporter, budget).value();
    EXPECT_EQ(done.problems, std::vector<std::string>{});
    return done;
  }
  std::int64_t not_before(const char* vid) { return read_queue(store, to_report(vid)).value().value().pointers(0).not_before_ms(); }

  Process reporter{*database, store, "reporter"};
};

TEST_F(ReporterTest, WithoutQueuesThereIsNothingToDo) {
  const ReporterReport done = pass();
  EXPECT_EQ(done.receipts, 0U);
  EXPECT_FALSE(done.more);
}

TEST_F(ReporterTest, WhatHasAReceiptHasEnded) {
  put(kFirst, to_report("V1"), {delivered(1, kAnswers), failed(2, kAnswers)});
  EXPECT_EQ(pass().receipts, 2U);
  EXPECT_EQ(arrivals(kAnswers), (std::map<std::string, int>{{"90-1-1/1", 1}, {"90-1-2/1", 1}}));
  EXPECT_EQ(ended(), (std::map<RequestId, bool>{{{kFirst, 1}, true}, {{kFirst, 2}, true}}));
  EXPECT_EQ(contents().size(), 0U);
  EXPECT_FALSE(read_segment(store, kFirst).value().has_value());
  EXPECT_FALSE(read_queue(store, to_report("V1")).value().has_value());
  expect_clean(*this, "after the receipts");
}

TEST_F(ReporterTest, WhereNobodyIsToBeToldADeliveredRequestEndsAndAFailedOneIsKept) {
  put(kFirst, to_report("V1"), {delivered(1, ""), failed(2, "")});
  const ReporterReport done = pass();
  EXPECT_EQ(done.untold, 1U);
  EXPECT_EQ(done.failed, 1U);
  EXPECT_EQ(ended(), (std::map<RequestId, bool>{{{kFirst, 1}, false}}));
  EXPECT_EQ(contents()[failed_queue("V1")], (Ids{{kFirst, 2}}));
  EXPECT_TRUE(sink.ledger().empty());
  expect_clean(*this, "after the pass");
}

TEST_F(ReporterTest, WhoRefusesIsAskedAgainAfterABackoffThatDoublesAndThenNoMore) {
  options.tries_max = 4;
  put(kFirst, to_report("V1"), {delivered(1, kRefuses)});
  EXPECT_EQ(pass().again, 1U);
  for (const Millis backoff : {Millis{30s}, Millis{60s}, Millis{120s}}) {
    EXPECT_EQ(not_before("V1"), (wall + backoff).ms);
    wait(backoff - 1ms);
    EXPECT_EQ(pass().again, 0U);
    wait(1ms);
    (void)pass();
  }
  EXPECT_EQ(arrivals(kRefuses), (std::map<std::string, int>{{"90-1-1/1", 4}}));
  EXPECT_EQ(contents()[failed_queue("V1")], (Ids{{kFirst, 1}}));
  EXPECT_EQ(ended().size(), 0U);
  const ShownRequest shown = list_failed(store, Vid("V1"), "", 10).value().requests.at(0);
  EXPECT_EQ(shown.request.failed_ms(), wall.ms) << "that is since when it waits for its operator";
  EXPECT_EQ(shown.request.errors(0), "its requester could not be told, tried 4 times, at last: answered 500");
  expect_clean(*this, "after the last try");
}

TEST_F(ReporterTest, RequestsOfOneSegmentGoTheirOwnWays) {
  put(kFirst, to_report("V1"), {delivered(1, kAnswers), delivered(2, kRefuses), delivered(3, ""), failed(4, ""), failed(5, kAnswers)});
  (void)pass();
  EXPECT_EQ(ended(), (std::map<RequestId, bool>{{{kFirst, 1}, true}, {{kFirst, 3}, false}, {{kFirst, 5}, true}}));
  EXPECT_EQ(contents()[to_report("V1")], (Ids{{kFirst, 2}}));
  EXPECT_EQ(contents()[failed_queue("V1")], (Ids{{kFirst, 4}}));
  EXPECT_EQ(not_before("V1"), (wall + 30s).ms);
  expect_clean(*this, "after the pass");
}

TEST_F(ReporterTest, AQueueThatACleanerHasMarkedIsLeftAloneAndDelaysNoOther) {
  put(kFirst, to_report("V1"), {delivered(1, kAnswers)});
  put(kSecond, to_report("V2"), {delivered(1, kAnswers, "V2")});
  const auto mark = [&](bool is_on) {
    edit_queue(store, to_report("V1"), [&](stored::Queue& queue) -> Result<Edited> {
      queue.clear_reservation();
      if (is_on) queue.mutable_reservation()->set_agent("agent/cleaner@900");
      return Edited::kWrite;
    }).value();
  };
  mark(true);
  EXPECT_EQ(pass().receipts, 1U);
  EXPECT_EQ(contents()[to_report("V1")], (Ids{{kFirst, 1}}));
  mark(false);
  EXPECT_EQ(pass().receipts, 1U);
}

// A6: what waits for a target that hangs is in many segments and comes first.
TEST_F(ReporterTest, ATargetThatHangsDelaysNobodyElsesReports) {
  for (std::uint64_t number = 1; number <= 10; ++number) {
    std::vector<stored::Request> requests;
    for (std::uint32_t ordinal = 1; ordinal <= 1000; ++ordinal) requests.push_back(delivered(ordinal, kHangs));
    put({91, number}, to_report("V1"), requests);
  }
  put(kFirst, to_report("V2"), {delivered(1, kAnswers, "V2"), delivered(2, kHangs, "V2")});
  const ReporterReport done = pass();
  EXPECT_EQ(done.receipts, 1U);
  EXPECT_FALSE(done.more);
  EXPECT_EQ(arrivals(kHangs).size(), report_memory::kSilentAfter) << "asked in the pass's first batch only";
  EXPECT_EQ(all_requests().size(), 10'001U);
  EXPECT_EQ(pass().again, 0U) << "all of them wait";
  expect_clean(*this, "after the pass");
}

TEST_F(ReporterTest, APassEndsAlsoWhereReportsAreTriedAgainAtOnce) {
  options = {.tries_max = 1000, .backoff = Millis{0}};
  std::vector<stored::Request> requests;
  for (std::uint32_t ordinal = 1; ordinal <= 100; ++ordinal) requests.push_back(delivered(ordinal, kHangs));
  put(kFirst, to_report("V1"), requests);
  EXPECT_FALSE(pass().more);
  EXPECT_EQ(all_requests().size(), 100U);
}

TEST_F(ReporterTest, WhatIsOnRecordAlreadyIsLeftOutAndNotReported) {
  put(kFirst, to_report("V1"), {delivered(1, kAnswers), delivered(2, kAnswers)});
  const Ended before{.id = {kFirst, 1}, .how = Ending::kDone, .reported = true, .request = delivered(1, kAnswers)};
  record_ended(context(), std::span(&before, 1)).value();
  EXPECT_EQ(pass().receipts, 1U);
  EXPECT_EQ(arrivals(kAnswers), (std::map<std::string, int>{{"90-1-2/1", 1}}));
  EXPECT_EQ(contents().size(), 0U);
  EXPECT_EQ(count_ended(context()).value().done, 2);
  expect_clean(*this, "after the pass");
}

TEST_F(ReporterTest, AnOperatorsRetryOfADeliveredRequestBeginsTheNextRound) {
  options.tries_max = 1;
  put(kFirst, to_report("V1"), {delivered(1, kRefuses)});
  (void)pass();
  sink.set_target("refuses.example|80", [](const ports::Report&) {
    return report_memory::Reaction{{.kind = ports::ReportOutcome::Kind::kReceipt, .status = 200}};
  });
  EXPECT_EQ(retry_failed(reporter.hand, context(), {kFirst, 1}, wall.ms).value().request.failed_ms(), 0);
  EXPECT_EQ(pass().receipts, 1U);
  EXPECT_EQ(arrivals(kRefuses), (std::map<std::string, int>{{"90-1-1/1", 1}, {"90-1-1/2", 1}}));
}

TEST_F(ReporterTest, ABudgetEndsThePassAndTheNextGoesOn) {
  for (std::uint64_t number = 1; number <= 8; ++number) {
    std::vector<stored::Request> requests;
    for (std::uint32_t ordinal = 1; ordinal <= 500; ++ordinal) requests.push_back(delivered(ordinal, kAnswers));
    put({91, number}, to_report("V1"), requests);
  }
  const ReporterReport first = pass(1);
  EXPECT_TRUE(first.more);
  EXPECT_EQ(first.receipts, 2000U);
  EXPECT_EQ(pass().receipts, 2000U);
}

// A sink that stops: no report's turn comes.
class StoppedSink : public ports::ReportSink {
 public:
  std::vector<ports::ReportOutcome> deliver(std::span<const ports::Report> reports) override {
    return std::vector<ports::ReportOutcome>(reports.size(), {.kind = ports::ReportOutcome::Kind::kNotSent, .reason = "stopped"});
  }
};

TEST_F(ReporterTest, WhatWasNotSentIsAsItWasAndThePassEnds) {
  put(kFirst, to_report("V1"), {delivered(1, kAnswers)});
  StoppedSink stopped;
  const ReporterReport done = report_through(*database, reporter.hand, reporter.estate, stopped).value();
  EXPECT_EQ(done.later, 1U);
  EXPECT_TRUE(done.more);
  EXPECT_EQ(not_before("V1"), 0);
  EXPECT_EQ(pass().receipts, 1U);
}

TEST_F(ReporterTest, ACollectedReporterStops) {
  put(kFirst, to_report("V1"), {delivered(1, kAnswers)});
  Process collector(*database, store, "collector");
  (void)collector.run_all();
  const auto stopped = report_once(reporter);
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().kind, Error::Kind::kFenced);
  EXPECT_TRUE(sink.ledger().empty());
  EXPECT_EQ(contents()[to_report("V1")], (Ids{{kFirst, 1}}));
}

}  // namespace
}  // namespace reclaim::archive
