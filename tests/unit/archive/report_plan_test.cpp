#include "archive/report_plan.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "unit/archive/samples.hpp"
#include "wire/json.hpp"

namespace reclaim::archive {
namespace {

using namespace std::chrono_literals;
using stored::Request;
using Kind = ports::ReportOutcome::Kind;

const RequestId kId{.origin = {.epoch = 17, .number = 42}, .ordinal = 3};

Request transferred() {
  Request request = samples::request(3);
  request.set_state(Request::TRANSFERRED);
  request.set_final_attempt(2);
  return request;
}

Request failed() {
  Request request = transferred();
  request.set_state(Request::FAILED);
  add_error(request, "V1: no such file");
  add_error(request, "V2 is BROKEN: \"dropped\"");
  return request;
}

TEST(ReportOf, ADeliveredRequestSaysWhatWasDelivered) {
  const ports::Report report = report_of(kId, transferred());
  EXPECT_EQ(report.url, "http://requester.example:8080/done");
  EXPECT_EQ(report.key, "17-42-3/1");
  EXPECT_EQ(wire::parse_json(report.body).value(), wire::parse_json(R"({"request":"17-42-3","round":1,"file":"f3","status":"done",
      "error":null,"vid":"V1","attempt":2})")
                                                       .value());
}

TEST(ReportOf, AFailedRequestSaysWhyItFailedAtLast) {
  const wire::Json body = wire::parse_json(report_of(kId, failed()).body).value();
  EXPECT_EQ(body["status"], "failed");
  EXPECT_EQ(body["error"], "V2 is BROKEN: \"dropped\"");
}

TEST(ReportOf, ARequestThatWasSetAsideIsReportedWithWhatIsLeftOfIt) {
  Request request = failed();
  request.clear_copies();
  request.clear_file();
  request.set_set_aside("was");
  const wire::Json body = wire::parse_json(report_of(kId, request).body).value();
  EXPECT_EQ(body["vid"], nullptr);
  EXPECT_EQ(body["file"], "");
}

TEST(ReportOf, KeyAndBodyAreTheSameInEveryTryOfARound) {
  for (Request request : {transferred(), failed()}) {
    const ports::Report first = report_of(kId, request);
    for (int tries = 1; tries < 5; ++tries) {
      EXPECT_EQ(judge_report(request, ports::ReportOutcome{.kind = Kind::kRefused, .status = 500, .reason = "answered 500"}, 12),
                Reported::kAgain);
      const ports::Report again = report_of(kId, request);
      EXPECT_EQ(again.key, first.key);
      EXPECT_EQ(again.body, first.body);
    }
    request.set_round(2);
    EXPECT_EQ(report_of(kId, request).key, "17-42-3/2");
  }
}

TEST(JudgeReport, AReceiptEndsARequest) {
  for (Request request : {transferred(), failed()}) {
    EXPECT_EQ(judge_report(request, ports::ReportOutcome{.kind = Kind::kReceipt, .status = 204}, 12), Reported::kReceipt);
    EXPECT_TRUE(request.reported());
    EXPECT_EQ(request.attempts().report(), 1U);
  }
}

TEST(JudgeReport, WhereNobodyIsToBeToldADeliveredRequestEndsAndAFailedOneIsKept) {
  Request done = transferred();
  EXPECT_EQ(judge_report(done, std::nullopt, 12), Reported::kNobody);
  EXPECT_FALSE(done.reported());
  Request lost = failed();
  EXPECT_EQ(judge_report(lost, std::nullopt, 12), Reported::kFailed);
  EXPECT_EQ(lost.SerializeAsString(), failed().SerializeAsString());
}

TEST(JudgeReport, WhatWasNotSentCountsNothing) {
  Request request = transferred();
  EXPECT_EQ(judge_report(request, ports::ReportOutcome{.kind = Kind::kNotSent}, 1), Reported::kLater);
  EXPECT_EQ(request.SerializeAsString(), transferred().SerializeAsString());
}

TEST(JudgeReport, AfterTheLastTryARequestGoesToTheFailedQueueAndSaysWhy) {
  Request request = transferred();
  const ports::ReportOutcome silent{.kind = Kind::kUnanswered, .reason = "timed out"};
  EXPECT_EQ(judge_report(request, silent, 3), Reported::kAgain);
  EXPECT_EQ(judge_report(request, silent, 3), Reported::kAgain);
  EXPECT_TRUE(request.errors().empty());
  EXPECT_EQ(judge_report(request, silent, 3), Reported::kFailed);
  EXPECT_EQ(request.errors(0), "its requester could not be told, tried 3 times, at last: timed out");
  EXPECT_EQ(request.state(), Request::TRANSFERRED) << "a retry only reports again";
}

TEST(ReportBackoff, DoublesUpToAnHour) {
  EXPECT_EQ(report_backoff(30s, 0), 30s);
  EXPECT_EQ(report_backoff(30s, 1), 30s);
  EXPECT_EQ(report_backoff(30s, 2), 60s);
  EXPECT_EQ(report_backoff(30s, 7), 32min);
  EXPECT_EQ(report_backoff(30s, 8), 1h);
  EXPECT_EQ(report_backoff(30s, 4'000'000'000U), 1h);
  EXPECT_EQ(report_backoff(2h, 1), 1h);
  EXPECT_EQ(report_backoff(0s, 9), 0s);
}

stored::Queue queue_with(std::initializer_list<std::int64_t> not_before) {
  stored::Queue queue = empty_queue({Vid("V1"), QueueType::kToReport});
  std::uint64_t number = 0;
  for (const std::int64_t ms : not_before) {
    auto& entry = *queue.add_pointers();
    entry.set_segment("segment/1-" + std::to_string(++number));
    entry.set_requests(10);
    entry.set_not_before_ms(ms);
  }
  return queue;
}

std::vector<std::string> names(const std::vector<stored::Queue::Pointer>& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) names.push_back(entry.segment());
  return names;
}

TEST(ChooseDue, TakesWhatIsDueLongestFirst) {
  const std::int64_t now = 1'764'000'000'000;
  const stored::Queue queue = queue_with({now + 1, now - 5, 0, now, now - 9});
  EXPECT_EQ(names(choose_due(queue, now, 1000)), (std::vector<std::string>{"segment/1-3", "segment/1-5", "segment/1-2", "segment/1-4"}));
  EXPECT_EQ(names(choose_due(queue, now, 11)), (std::vector<std::string>{"segment/1-3", "segment/1-5"}));
  EXPECT_EQ(names(choose_due(queue, now, 1)), (std::vector<std::string>{"segment/1-3"}));
  EXPECT_TRUE(choose_due(queue_with({now + 1}), now, 1000).empty());
}

TEST(ChooseDue, AClockThatWasWrongPostponesNothingForEver) {
  const std::int64_t now = 1'764'000'000'000;
  const std::int64_t hour = kReportBackoffMax.count();
  EXPECT_TRUE(choose_due(queue_with({now + hour}), now, 1000).empty());
  EXPECT_EQ(choose_due(queue_with({now + hour + 1}), now, 1000).size(), 1U);
}

}  // namespace
}  // namespace reclaim::archive
