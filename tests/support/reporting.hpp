// An archive whose requesters are in memory: one that answers, one that refuses, one that does not answer.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "adapters/report_memory/memory_reports.hpp"
#include "archive/reporter.hpp"
#include "support/archive_world.hpp"

namespace reclaim::test {

inline constexpr const char* kAnswers = "http://answers.example/done";
inline constexpr const char* kRefuses = "http://refuses.example/done";
inline constexpr const char* kHangs = "http://hangs.example/done";

inline QueueId failed_queue(const char* vid) { return {Vid(vid), QueueType::kFailed}; }

// A request of which the outcome is known, on its way to be reported.
inline stored::Request outcome(std::uint32_t ordinal, stored::Request::State state, const std::string& report_to, const char* vid = "V1") {
  stored::Request made = request(ordinal, {vid});
  made.set_state(state);
  made.set_report_to(report_to);
  made.set_final_attempt(ordinal);
  if (state == stored::Request::FAILED) add_error(made, vid + std::string(" is BROKEN: \"torn\""));
  return made;
}
inline stored::Request delivered(std::uint32_t ordinal, const std::string& report_to, const char* vid = "V1") {
  return outcome(ordinal, stored::Request::TRANSFERRED, report_to, vid);
}
inline stored::Request failed(std::uint32_t ordinal, const std::string& report_to, const char* vid = "V1") {
  return outcome(ordinal, stored::Request::FAILED, report_to, vid);
}

struct Reporting : ArchiveWorld {
  Reporting() {
    using Kind = ports::ReportOutcome::Kind;
    sink.set_target("refuses.example|80", [](const ports::Report&) {
      return report_memory::Reaction{{.kind = Kind::kRefused, .status = 500, .reason = "answered 500"}};
    });
    sink.set_target("hangs.example|80",
                    [](const ports::Report&) { return report_memory::Reaction{{.kind = Kind::kUnanswered, .reason = "timed out"}}; });
  }

  // One pass over these ports, which may fail.
  Result<ReporterReport> report_through(ports::Database& a_database, Hand& hand, agents::Estate& estate, ports::ReportSink& a_sink,
                                        std::size_t budget = Process::kBudget) {
    const auto now = [&]() -> Context { return {a_database, wall, "pass:reports"}; };
    return report(now, hand, estate, a_sink, options, budget);
  }
  Result<ReporterReport> report_once(Process& process, std::size_t budget = Process::kBudget) {
    return report_through(*database, process.hand, process.estate, sink, budget);
  }
  void wait(Millis duration) { wall = wall + duration; }

  // Key -> how often it arrived. Every arrival of a key had the same body.
  std::map<std::string, int> arrivals(const std::string& url) {
    std::map<std::string, int> counts;
    std::map<std::string, std::string> bodies;
    for (const report_memory::Arrival& arrival : sink.ledger()) {
      EXPECT_EQ(bodies.emplace(arrival.report.key, arrival.report.body).first->second, arrival.report.body) << arrival.report.key;
      if (arrival.report.url == url) ++counts[arrival.report.key];
    }
    return counts;
  }
  // Of those that have ended: whether their requester was told.
  std::map<RequestId, bool> ended() {
    std::map<RequestId, bool> found;
    for (const EndedRequest& one : sim::must(list_ended(context(), "", 10'000))) found.emplace(one.ended.id, one.ended.reported);
    return found;
  }

  report_memory::MemoryReports sink;
  WallTime wall{1'764'000'000'000};
  ReporterOptions options{.tries_max = 3, .backoff = Millis{30'000}};
};

}  // namespace reclaim::test
