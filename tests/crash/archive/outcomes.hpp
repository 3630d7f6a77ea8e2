// Requests whose outcomes are to be told, and a reporter that tells them: what crash points of reporters arrange and ask.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "sim/crash.hpp"
#include "support/reporting.hpp"

namespace reclaim::archive {

using test::delivered;
using test::failed;
using test::failed_queue;
using test::Ids;
using test::kAnswers;
using test::kHangs;
using test::kRefuses;
using test::to_report;

inline constexpr SegmentId kMixed{90, 1};
inline constexpr SegmentId kTold{90, 2};
inline constexpr SegmentId kElsewhere{90, 3};
inline constexpr int kPasses = 3;

struct Outcomes : test::Reporting {
  Outcomes() {
    options.tries_max = 2;
    put(kMixed, to_report("V1"), {delivered(1, kAnswers), failed(2, kAnswers), delivered(3, ""), failed(4, ""), delivered(5, kRefuses)});
    put(kTold, to_report("V1"), {failed(1, kAnswers), delivered(2, kAnswers)});
    put(kElsewhere, to_report("V2"), {failed(1, kHangs, "V2"), delivered(2, kAnswers, "V2")});
  }

  void expect_final(const std::string& where) {
    const std::map<RequestId, bool> told = ended();
    EXPECT_EQ(told, (std::map<RequestId, bool>{{{kMixed, 1}, true},
                                               {{kMixed, 2}, true},
                                               {{kMixed, 3}, false},
                                               {{kTold, 1}, true},
                                               {{kTold, 2}, true},
                                               {{kElsewhere, 2}, true}}))
        << where;
    EXPECT_EQ(count_ended(context()).value().done, 6) << where;
    EXPECT_EQ(contents(),
              (std::map<QueueId, Ids>{{failed_queue("V1"), {{kMixed, 4}, {kMixed, 5}}}, {failed_queue("V2"), {{kElsewhere, 1}}}}))
        << where;
    expect_ledger(told, where);
    expect_clean(*this, where);
  }

  // At least once, and no more often than what the faults explain.
  void expect_ledger(const std::map<RequestId, bool>& told, const std::string& where) {
    const std::map<std::string, int> answered = arrivals(kAnswers);
    for (const auto& [id, is_reported] : told) {
      EXPECT_EQ(answered.contains(text_of(id) + "/1"), is_reported) << where << ": " << text_of(id);
    }
    for (const auto& [key, times] : answered) EXPECT_LE(times, 1 + faults_max) << where << ": " << key;
    for (const char* url : {kRefuses, kHangs}) {
      ASSERT_EQ(arrivals(url).size(), 1U) << where;
      EXPECT_GE(arrivals(url).begin()->second, 2 - 1) << where;
      EXPECT_LE(arrivals(url).begin()->second, 2 + faults_max) << where;
    }
  }

  int faults_max = 1;
};

// One that lives through its fault goes on.
inline void run_first(Outcomes& world, ports::Database& database, ports::ObjectStore& store, ports::ReportSink& sink) {
  try {
    const auto agent = agents::Agent::register_as(store, "first", "maintenance");
    if (!agent.ok()) return;
    Hand hand(store, *agent.value());
    ArchiveEstate estate(hand, [&]() -> Context { return {database, world.wall, "pass:reports"}; });
    for (int pass = 0; pass < kPasses; ++pass) {
      (void)world.report_through(database, hand, estate, sink);
      world.wait(Millis{3'600'000});
    }
  } catch (const sim::Crash&) {
  }
}

}  // namespace reclaim::archive
