// The sinks under test. Another one is a Subject and a line in kMakers.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "adapters/report_http/http_reports.hpp"
#include "adapters/report_memory/memory_reports.hpp"
#include "adapters/system/system_time.hpp"
#include "contract/reports/http_target.hpp"
#include "ports/report_sink.hpp"

namespace reclaim::ports {

inline void PrintTo(const ReportOutcome& outcome, std::ostream* out) {
  constexpr const char* kNames[] = {"receipt", "refused", "unanswered", "not sent"};
  *out << kNames[static_cast<std::size_t>(outcome.kind)] << ' ' << outcome.status << ' ' << outcome.reason;
}

}  // namespace reclaim::ports

namespace reclaim::test {

using ports::Report;
using ports::ReportOutcome;
using Kind = ports::ReportOutcome::Kind;

// One sink and two requesters, who do as the path says: `/204` answers 204, `/hang` does not answer.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual ports::ReportSink& sink() = 0;
  virtual std::string url(std::size_t requester, const std::string& path) = 0;
  // Key and body, in the order of arrival.
  virtual std::vector<Report> arrived(std::size_t requester) = 0;
};

class MemorySubject : public Subject {
 public:
  MemorySubject() {
    for (const char* host : {"r0", "r1"}) sink_.set_target(std::string(host) + "|80", react);
  }
  ports::ReportSink& sink() override { return sink_; }
  std::string url(std::size_t requester, const std::string& path) override { return "http://r" + std::to_string(requester) + path; }
  std::vector<Report> arrived(std::size_t requester) override {
    std::vector<Report> arrived;
    for (const report_memory::Arrival& arrival : sink_.ledger()) {
      if (arrival.report.url.starts_with(url(requester, "/"))) arrived.push_back(arrival.report);
    }
    return arrived;
  }

 private:
  static report_memory::Reaction react(const Report& report) {
    const std::string last = report.url.substr(report.url.rfind('/') + 1);
    if (last == "hang") return {{.kind = Kind::kUnanswered, .reason = "no answer"}};
    const int status = std::stoi(last);
    if (status / 100 == 2) return {{.kind = Kind::kReceipt, .status = status}};
    return {{.kind = Kind::kRefused, .status = status, .reason = "answered " + last}};
  }

  report_memory::MemoryReports sink_;
};

class HttpSubject : public Subject {
 public:
  ports::ReportSink& sink() override { return sink_; }
  std::string url(std::size_t requester, const std::string& path) override { return targets_[requester].url(path); }
  std::vector<Report> arrived(std::size_t requester) override {
    std::vector<Report> arrived;
    for (const Received& received : targets_[requester].received()) {
      arrived.push_back({.key = received.headers.at("idempotency-key"), .body = received.body});
    }
    return arrived;
  }

 private:
  system::SystemClock clock_;
  HttpTarget targets_[2] = {HttpTarget(do_as_the_path_says), HttpTarget(do_as_the_path_says)};
  report_http::HttpReports sink_{{.call_timeout = Millis{3'000}, .begin_within = Millis{60'000}}, clock_};
};

struct Maker {
  const char* name;
  std::unique_ptr<Subject> (*make)();
};

inline const Maker kMakers[] = {
    {"Memory", []() -> std::unique_ptr<Subject> { return std::make_unique<MemorySubject>(); }},
    {"Http", []() -> std::unique_ptr<Subject> { return std::make_unique<HttpSubject>(); }},
};

inline void PrintTo(const Maker& maker, std::ostream* out) { *out << maker.name; }
inline std::string name_of(const testing::TestParamInfo<Maker>& info) { return info.param.name; }

}  // namespace reclaim::test
