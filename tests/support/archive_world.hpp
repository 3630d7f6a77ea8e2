// What tests expect of the small archive in memory (sim/archive_world.hpp), and one of them of which a tape is broken.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "archive/ended.hpp"
#include "archive/store_check.hpp"
#include "sim/archive_world.hpp"
#include "sim/fleet_world.hpp"

namespace reclaim::test {

using namespace archive;  // NOLINT(google-build-using-namespace): a header of tests about that room

using sim::ArchiveWorld;
using sim::Process;
using sim::request;
using sim::to_report;
using sim::to_transfer;

// Nothing is broken and nothing is left over.
inline void expect_clean(ArchiveWorld& world, const std::string& where) {
  const StoreReport report = sim::must(check_store(world.store));
  EXPECT_EQ(report.more, 0u);
  for (const Finding& finding : report.findings) ADD_FAILURE() << where << ": " << name_of(finding.kind) << ": " << finding.sentence;
}

inline constexpr SegmentId kWhole{90, 1};
inline constexpr SegmentId kApart{90, 2};
inline constexpr SegmentId kAlone{90, 3};

using Ids = std::multiset<RequestId>;

// V1 is broken. Of its requests some go to V2, some to V3, one has no other copy, and one was cancelled.
struct Broken : ArchiveWorld {
  Broken() {
    put(kWhole, to_transfer("V1"), {request(1, {"V1", "V2"}), request(2, {"V1", "V2"})});
    put(kApart, to_transfer("V1"), {request(1, {"V1", "V2"}), request(2, {"V1", "V3"}), request(3, {"V1"})});
    stored::Request cancelled = request(2, {"V1"});
    cancelled.set_cancel_asked(true);
    put(kAlone, to_transfer("V1"), {request(1, {"V1"}), cancelled});
    ask("V1", TapeState::kBroken);
  }

  void expect_final(const std::string& where) {
    EXPECT_EQ(archive::name_of(state_of("V1")), archive::name_of(TapeState::kBroken)) << where;
    EXPECT_EQ(all_requests(), (Ids{{kWhole, 1}, {kWhole, 2}, {kApart, 1}, {kApart, 2}, {kApart, 3}, {kAlone, 1}})) << where;
    EXPECT_TRUE(find_ended(context(), std::vector{RequestId{kAlone, 2}}).value().front().has_value()) << where;
    EXPECT_EQ(contents().count(to_transfer("V1")), 0u) << where;
    EXPECT_FALSE(read_queue(store, to_transfer("V1")).value().has_value()) << where;
    EXPECT_FALSE(read_queue(store, to_report("V1")).value()->has_reservation()) << where;
    expect_clean(*this, where);
  }
};

}  // namespace reclaim::test
