// What requesters do to us over HTTP: each is a Script of bytes.
#include <poll.h>

#include <cstdlib>
#include <deque>
#include <future>

#include "contract/reports/sinks.hpp"

namespace reclaim::test {
namespace {

using report_http::HttpReports;
using report_http::HttpReportsOptions;

Report to(const std::string& url, const std::string& key = "1-1-1/1") { return {.url = url, .key = key, .body = "{}"}; }

class HttpReportsTest : public testing::Test {
 protected:
  ReportOutcome deliver(const std::string& url, HttpReportsOptions options = {}) {
    HttpReports sink(std::move(options), clock_);
    const std::vector<Report> reports{to(url)};
    return sink.deliver(reports).at(0);
  }
  // The one report's outcome where the target says just that and ends the connection.
  ReportOutcome deliver_to_one_that_says(const std::string& bytes) {
    const HttpTarget target([&](Connection& connection, const Received&) { return connection.send(bytes) && false; });
    return deliver(target.url());
  }

  system::SystemClock clock_;
};

const HttpReportsOptions kImpatient{.call_timeout = Millis{300}};

TEST_F(HttpReportsTest, WhatIsSentIsTheReportAndNothingOfOurs) {
  const HttpTarget target(do_as_the_path_says);
  EXPECT_EQ(deliver(target.url("/a/../b%20c/200?x=1&y=[")).kind, Kind::kUnanswered);
  EXPECT_EQ(deliver(target.url("/a/../b%20c/200")).kind, Kind::kReceipt);
  ASSERT_EQ(target.received().size(), 1U);
  const Received received = target.received().front();
  EXPECT_EQ(received.line, "POST /a/../b%20c/200 HTTP/1.1");
  const std::map<std::string, std::string> headers{{"host", "127.0.0.1:" + std::to_string(target.port())},
                                                   {"user-agent", "reclaim"},
                                                   {"accept", "*/*"},
                                                   {"content-type", "application/json"},
                                                   {"idempotency-key", "1-1-1/1"},
                                                   {"content-length", "2"}};
  EXPECT_EQ(received.headers, headers);
}

TEST_F(HttpReportsTest, AnAddressOfIpv6IsAHost) {
  const HttpTarget target(do_as_the_path_says, AF_INET6);
  EXPECT_EQ(deliver(target.url("/200")).kind, Kind::kReceipt);
}

TEST_F(HttpReportsTest, ARedirectIsNotFollowed) {
  const HttpTarget elsewhere(do_as_the_path_says);
  for (const char* status : {"301", "302", "303", "307", "308"}) {
    const HttpTarget target([&](Connection& connection, const Received&) {
      return connection.send(std::string("HTTP/1.1 ") + status + " Gone\r\nLocation: " + elsewhere.url("/200") +
                             "\r\nContent-Length: 0\r\n\r\n");
    });
    const ReportOutcome outcome = deliver(target.url());
    EXPECT_EQ(outcome.kind, Kind::kRefused);
    EXPECT_EQ(std::to_string(outcome.status), status);
  }
  EXPECT_EQ(elsewhere.connections(), 0U);
}

TEST_F(HttpReportsTest, WhatARefusalSaysIsOneShortLineOfUtf8) {
  const ReportOutcome outcome = deliver_to_one_that_says(answer(500, "no such job \x1b[31m\xff\r\n" + std::string(10'000, 'x')));
  EXPECT_TRUE(outcome.reason.starts_with("answered 500: no such job ?[31m???xxx")) << outcome.reason;
  EXPECT_LE(outcome.reason.size(), ports::kReportReasonMax);
}

TEST_F(HttpReportsTest, WhatIsNotHttpIsNoAnswer) {
  for (const char* bytes :
       {"220 smtp.example ESMTP\r\n", "\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 20x OK\r\n\r\n", "\x16\x03\x01 hello", "SSH-2.0-x\r\n", "<html>200 OK</html>"}) {
    const ReportOutcome outcome = deliver_to_one_that_says(bytes);
    EXPECT_EQ(outcome.kind, Kind::kUnanswered) << bytes << ": " << testing::PrintToString(outcome);
  }
}

TEST_F(HttpReportsTest, HalfAnAnswerIsNoReceipt) {
  for (const char* bytes : {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "HTTP/1.1 200 OK\r\nContent-Le",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ""}) {
    const ReportOutcome outcome = deliver_to_one_that_says(bytes);
    EXPECT_EQ(outcome.kind, Kind::kUnanswered) << bytes << ": " << testing::PrintToString(outcome);
    EXPECT_NE(outcome.reason, "");
  }
}

TEST_F(HttpReportsTest, AReceiptIsOneAfterInterimAnswersTooAndWithoutALength) {
  EXPECT_EQ(deliver_to_one_that_says("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(200)).kind, Kind::kReceipt);
  EXPECT_EQ(deliver_to_one_that_says("HTTP/1.0 200 OK\r\n\r\nup to the end").kind, Kind::kReceipt);
  EXPECT_EQ(deliver_to_one_that_says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n").kind, Kind::kReceipt);
}

TEST_F(HttpReportsTest, AResetIsNoAnswer) {
  for (const bool is_after_status : {false, true}) {
    const HttpTarget target([&](Connection& connection, const Received&) {
      if (is_after_status) connection.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
      connection.reset();
      return false;
    });
    EXPECT_EQ(deliver(target.url()).kind, Kind::kUnanswered);
  }
}

TEST_F(HttpReportsTest, AnAnswerWithoutEndIsReadUpToItsLimit) {
  for (const char* begin : {"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\n"}) {
    const bool is_header = !std::string_view(begin).ends_with("\r\n\r\n");
    const HttpTarget target([&](Connection& connection, const Received&) {
      if (!connection.send(begin)) return false;
      while (connection.send(is_header ? "Name: value\r\n" : "endless")) {
      }
      return false;
    });
    const ReportOutcome outcome = deliver(target.url());
    EXPECT_EQ(outcome.kind, Kind::kUnanswered) << begin;
    EXPECT_NE(outcome.reason.find("65536"), std::string::npos) << testing::PrintToString(outcome);
  }
}

TEST_F(HttpReportsTest, InterimAnswersWithoutEndAreAnAnswerThatIsTooLong) {
  const HttpTarget target([](Connection& connection, const Received&) {
    while (connection.send("HTTP/1.1 100 Continue\r\n\r\n")) {
    }
    return false;
  });
  EXPECT_NE(deliver(target.url()).reason.find("65536"), std::string::npos);
}

TEST_F(HttpReportsTest, WhoeverIsTooSlowHasNotAnswered) {
  for (const char* begin : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"}) {
    const HttpTarget target([&](Connection& connection, const Received&) {
      connection.send(begin);
      connection.hang();
      return false;
    });
    const ReportOutcome outcome = deliver(target.url(), kImpatient);
    EXPECT_EQ(outcome.kind, Kind::kUnanswered);
    EXPECT_NE(outcome.reason.find("timed out"), std::string::npos) << testing::PrintToString(outcome);
  }
}

TEST_F(HttpReportsTest, ATrickleDoesNotMoveTheDeadline) {
  const HttpTarget target([](Connection& connection, const Received&) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    for (int i = 0; i < 10'000; ++i) {
      ::poll(nullptr, 0, 10);
      if (!connection.send("x")) break;
    }
    return false;
  });
  EXPECT_NE(deliver(target.url(), kImpatient).reason.find("timed out"), std::string::npos);
}

TEST_F(HttpReportsTest, WhoCannotBeReachedHasNotAnswered) {
  std::string closed;
  {
    const HttpTarget target(do_as_the_path_says);
    closed = target.url();
  }
  EXPECT_EQ(deliver(closed).kind, Kind::kUnanswered);
  EXPECT_EQ(deliver("http://no-such-host.invalid/").kind, Kind::kUnanswered);
}

TEST_F(HttpReportsTest, TheEnvironmentsProxyIsNotAsked) {
  const HttpTarget proxy(do_as_the_path_says);
  const HttpTarget target(do_as_the_path_says);
  ::setenv("http_proxy", proxy.url("").c_str(), 1);
  ::setenv("all_proxy", proxy.url("").c_str(), 1);
  EXPECT_EQ(deliver(target.url("/200")).kind, Kind::kReceipt);
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
  EXPECT_EQ(proxy.connections(), 0U);
}

TEST_F(HttpReportsTest, ConnectionsAreUsedAgainAlsoByTheNextBatch) {
  const HttpTarget target(do_as_the_path_says);
  HttpReports sink({.slots = 4, .slots_per_target = 2}, clock_);
  const std::vector<Report> reports(100, to(target.url("/200")));
  for (int batch = 0; batch < 3; ++batch) {
    for (const ReportOutcome& outcome : sink.deliver(reports)) EXPECT_EQ(outcome.kind, Kind::kReceipt);
  }
  EXPECT_EQ(target.received().size(), 300U);
  EXPECT_LE(target.connections(), 2U);
}

TEST_F(HttpReportsTest, AConnectionThatTheTargetHasClosedMeanwhileIsMadeAnew) {
  const HttpTarget target([](Connection& connection, const Received&) { return connection.send(answer(200)) && false; });
  HttpReports sink({.slots = 1, .slots_per_target = 1}, clock_);
  const std::vector<Report> reports(20, to(target.url()));
  for (const ReportOutcome& outcome : sink.deliver(reports)) EXPECT_EQ(outcome.kind, Kind::kReceipt) << testing::PrintToString(outcome);
}

TEST_F(HttpReportsTest, NoneIsBegunAfterTheBatchsTime) {
  const HttpTarget target(do_as_the_path_says);
  HttpReports sink({.begin_within = Millis{0}}, clock_);
  const std::vector<Report> reports{to(target.url("/200")), to("nonsense")};
  const std::vector<ReportOutcome> outcomes = sink.deliver(reports);
  EXPECT_EQ(outcomes[0].kind, Kind::kNotSent);
  EXPECT_NE(outcomes[0].reason, "");
  EXPECT_EQ(outcomes[1].kind, Kind::kUnanswered);
  EXPECT_EQ(target.connections(), 0U);
}

TEST_F(HttpReportsTest, ABatchIsBoundedInTimeThoughManyTargetsHang) {
  std::deque<HttpTarget> targets;
  std::vector<Report> reports;
  for (int i = 0; i < 10; ++i) {
    targets.emplace_back(do_as_the_path_says);
    reports.push_back(to(targets.back().url("/hang")));
  }
  HttpReports sink({.slots = 2, .slots_per_target = 1, .call_timeout = Millis{300}, .begin_within = Millis{450}}, clock_);
  const std::vector<ReportOutcome> outcomes = sink.deliver(reports);
  const auto count = [&](Kind kind) {
    return std::ranges::count_if(outcomes, [&](const ReportOutcome& outcome) { return outcome.kind == kind; });
  };
  EXPECT_GE(count(Kind::kUnanswered), 2);
  EXPECT_GE(count(Kind::kNotSent), 1);
  EXPECT_EQ(count(Kind::kUnanswered) + count(Kind::kNotSent), 10);
}

TEST_F(HttpReportsTest, StopBreaksOffWhatIsUnderWayAndBeginsNoMore) {
  std::promise<void> asked;
  const HttpTarget target([&](Connection& connection, const Received&) {
    asked.set_value();
    connection.hang();
    return false;
  });
  HttpReports sink({.slots = 1, .slots_per_target = 1, .call_timeout = Millis{600'000}}, clock_);
  const std::vector<Report> reports{to(target.url()), to(target.url())};
  std::future<std::vector<ReportOutcome>> delivered = std::async(std::launch::async, [&] { return sink.deliver(reports); });
  asked.get_future().wait();
  sink.stop();
  const std::vector<ReportOutcome> outcomes = delivered.get();
  EXPECT_EQ(outcomes[0].kind, Kind::kUnanswered);
  EXPECT_EQ(outcomes[1].kind, Kind::kNotSent);
  EXPECT_EQ(sink.deliver(reports).at(0).kind, Kind::kNotSent);
}

}  // namespace
}  // namespace reclaim::test
