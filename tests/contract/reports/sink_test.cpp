// What every sink promises.
#include <algorithm>

#include "contract/reports/sinks.hpp"

namespace reclaim::test {
namespace {

class ReportSinkContract : public testing::TestWithParam<Maker> {
 protected:
  Report report(const std::string& path, const std::string& key = "1-1-1/1") {
    return {.url = subject_->url(0, path), .key = key, .body = "{}"};
  }
  std::vector<ReportOutcome> deliver(const std::vector<Report>& reports) { return subject_->sink().deliver(reports); }
  ReportOutcome deliver_one(const Report& report) { return deliver({report}).at(0); }

  std::unique_ptr<Subject> subject_ = GetParam().make();
};

INSTANTIATE_TEST_SUITE_P(Sinks, ReportSinkContract, testing::ValuesIn(kMakers), name_of);

TEST_P(ReportSinkContract, AnEmptyBatchHasNoOutcomes) { EXPECT_TRUE(deliver({}).empty()); }

TEST_P(ReportSinkContract, AnyTwoHundredIsAReceipt) {
  for (const int status : {200, 201, 202, 204, 299}) {
    const ReportOutcome outcome = deliver_one(report("/" + std::to_string(status)));
    EXPECT_EQ(outcome.kind, Kind::kReceipt) << testing::PrintToString(outcome);
    EXPECT_EQ(outcome.status, status);
    EXPECT_EQ(outcome.reason, "");
  }
}

TEST_P(ReportSinkContract, AnyOtherAnswerIsNoReceiptAndItsStatusIsTold) {
  for (const int status : {300, 301, 302, 304, 307, 400, 401, 404, 409, 410, 418, 429, 500, 503, 599}) {
    const ReportOutcome outcome = deliver_one(report("/" + std::to_string(status)));
    EXPECT_EQ(outcome.kind, Kind::kRefused) << testing::PrintToString(outcome);
    EXPECT_EQ(outcome.status, status);
    EXPECT_NE(outcome.reason.find(std::to_string(status)), std::string::npos);
  }
}

TEST_P(ReportSinkContract, NoAnswerIsNoReceipt) {
  const ReportOutcome outcome = deliver_one(report("/hang"));
  EXPECT_EQ(outcome.kind, Kind::kUnanswered);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_NE(outcome.reason, "");
}

TEST_P(ReportSinkContract, OutcomesAreInTheOrderOfTheReports) {
  std::vector<Report> reports;
  for (int i = 0; i < 100; ++i) reports.push_back(report("/" + std::to_string(200 + 7 * i % 13 * 20), std::to_string(i)));
  const std::vector<ReportOutcome> outcomes = deliver(reports);
  ASSERT_EQ(outcomes.size(), reports.size());
  for (std::size_t i = 0; i < outcomes.size(); ++i) EXPECT_TRUE(reports[i].url.ends_with("/" + std::to_string(outcomes[i].status)));
}

TEST_P(ReportSinkContract, KeyAndBodyArriveByteForByte) {
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes += static_cast<char>(i);
  std::string all_visible;
  for (char c = '!'; c <= '~'; ++c) all_visible += c;
  const std::vector<Report> reports = {
      {.url = subject_->url(0, "/200"), .key = "17-42-3/1", .body = R"({"request":"17-42-3","error":"Störung \"x\""})"},
      {.url = subject_->url(0, "/200"), .key = all_visible, .body = all_bytes},
      {.url = subject_->url(0, "/200"), .key = std::string(ports::kReportKeyMax, 'k'), .body = std::string(ports::kReportBodyMax, 'b')},
      {.url = subject_->url(0, "/200"), .key = "e", .body = ""},
  };
  for (const Report& report : reports) EXPECT_EQ(deliver_one(report).kind, Kind::kReceipt);
  const std::vector<Report> arrived = subject_->arrived(0);
  ASSERT_EQ(arrived.size(), reports.size());
  for (std::size_t i = 0; i < reports.size(); ++i) {
    EXPECT_EQ(arrived[i].key, reports[i].key);
    EXPECT_TRUE(arrived[i].body == reports[i].body) << i;
  }
}

TEST_P(ReportSinkContract, WhatIsNoReportIsNotSentAndHindersNoOther) {
  const std::vector<Report> reports = {
      report("/200", "first"),
      {.url = "", .key = "k", .body = ""},
      {.url = "ftp://r0/200", .key = "k", .body = ""},
      {.url = subject_->url(0, "/200#x"), .key = "k", .body = ""},
      {.url = subject_->url(0, "/200"), .key = "", .body = ""},
      {.url = subject_->url(0, "/200"), .key = "k\r\nX-Evil: 1", .body = ""},
      {.url = subject_->url(0, "/200"), .key = std::string(ports::kReportKeyMax + 1, 'k'), .body = ""},
      {.url = subject_->url(0, "/200"), .key = "k", .body = std::string(ports::kReportBodyMax + 1, 'b')},
      report("/200", "last"),
  };
  const std::vector<ReportOutcome> outcomes = deliver(reports);
  ASSERT_EQ(outcomes.size(), reports.size());
  EXPECT_EQ(outcomes.front().kind, Kind::kReceipt);
  EXPECT_EQ(outcomes.back().kind, Kind::kReceipt);
  for (std::size_t i = 1; i + 1 < outcomes.size(); ++i) {
    EXPECT_EQ(outcomes[i].kind, Kind::kUnanswered) << i;
    EXPECT_TRUE(outcomes[i].reason.starts_with("cannot be sent: ")) << outcomes[i].reason;
  }
  EXPECT_EQ(subject_->arrived(0).size(), 2U);
}

TEST_P(ReportSinkContract, AReasonIsShortAndHoldsNoUrl) {
  for (const char* path : {"/s3cret/404", "/s3cret/hang"}) {
    const std::string reason = deliver_one(report(path)).reason;
    EXPECT_EQ(reason.find("s3cret"), std::string::npos) << reason;
    EXPECT_LE(reason.size(), ports::kReportReasonMax);
  }
}

TEST_P(ReportSinkContract, ATargetThatAnswersGetsItsThousandReportsWhileAnotherHangs) {
  std::vector<Report> reports;
  for (int i = 0; i < 1000; ++i) {
    reports.push_back({.url = subject_->url(1, "/hang"), .key = "h" + std::to_string(i), .body = "h"});
    reports.push_back({.url = subject_->url(0, "/200"), .key = "g" + std::to_string(i), .body = "g"});
  }
  const std::vector<ReportOutcome> outcomes = deliver(reports);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(outcomes[i].kind, i % 2 == 0 ? Kind::kUnanswered : Kind::kReceipt) << testing::PrintToString(outcomes[i]);
  }
  EXPECT_EQ(subject_->arrived(0).size(), 1000U);
  EXPECT_EQ(subject_->arrived(1).size(), 16U) << "a silent target is asked no more";
}

TEST_P(ReportSinkContract, ATargetThatAnswersNowAndThenIsAskedOn) {
  std::vector<Report> reports;
  for (int i = 0; i < 30; ++i) reports.push_back(report(i % 5 == 4 ? "/hang" : "/500", std::to_string(i)));
  for (const ReportOutcome& outcome : deliver(reports)) EXPECT_NE(outcome.kind, Kind::kNotSent);
  EXPECT_EQ(subject_->arrived(0).size(), 30U);
}

}  // namespace
}  // namespace reclaim::test
