// A reporter that is collected while its requester takes an hour to answer. Others have decided about the request by then: a receipt that
// comes so late ends nothing, or the request would be in the failed queue and on record as done (C1).
#include <gtest/gtest.h>

#include "support/reporting.hpp"

namespace reclaim::archive {
namespace {

using test::delivered;
using test::failed_queue;
using test::Ids;
using test::kAnswers;
using test::Process;
using test::to_report;

constexpr SegmentId kSlow{90, 1};
constexpr const char* kTarget = "answers.example|80";

report_memory::Reaction refusal(const ports::Report&) {
  return {{.kind = ports::ReportOutcome::Kind::kRefused, .status = 500, .reason = "answered 500"}};
}

TEST(PausedReporters, RecordNothingThatOthersHaveDecidedMeanwhile) {
  test::Reporting world;
  world.options.tries_max = 1;
  world.put(kSlow, to_report("V1"), {delivered(1, kAnswers)});
  Process slow(*world.database, world.store, "slow");
  Process second(*world.database, world.store, "second");
  report_memory::MemoryReports now_refuses;
  now_refuses.set_target(kTarget, refusal);
  world.sink.set_target(kTarget, [&](const ports::Report&) {
    (void)second.run_all();
    EXPECT_TRUE(world.report_through(*world.database, second.hand, second.estate, now_refuses).ok());
    return report_memory::Reaction{{.kind = ports::ReportOutcome::Kind::kReceipt, .status = 200}};
  });
  const auto woken = world.report_once(slow);
  ASSERT_FALSE(woken.ok());
  EXPECT_EQ(woken.error().kind, Error::Kind::kFenced);
  EXPECT_EQ(world.contents()[failed_queue("V1")], (Ids{{kSlow, 1}}));
  EXPECT_TRUE(world.ended().empty());
}

}  // namespace
}  // namespace reclaim::archive
