#include "archive/damaged.hpp"

#include <gtest/gtest.h>

namespace reclaim::archive {
namespace {

TEST(Damaged, NamesOfSegmentsAndQueuesAreThereAndBack) {
  const DamagedId segment = SegmentId{.epoch = 17, .number = 42};
  const DamagedId queue = DamagedQueue{.queue = {Vid("17-4"), QueueType::kToReport}, .version = 42};
  EXPECT_EQ(damaged_name(segment).str(), "damaged/17-42");
  EXPECT_EQ(damaged_name(queue).str(), "damaged/17-4.r-42");
  for (const DamagedId& id : {segment, queue}) EXPECT_TRUE(parse_damaged(damaged_name(id).str()).value() == id);
  EXPECT_EQ(former_name(segment).str(), "segment/17-42");
  EXPECT_EQ(former_name(queue).str(), "queue/17-4.r");
}

TEST(Damaged, OtherTextsAreRefused) {
  for (const char* text :
       {"damaged/", "damaged/V1.t", "damaged/V1.t-", "damaged/V1.t-0", "damaged/V1.t-07", "damaged/V1.t-1x", "damaged/V1.x-1",
        "damaged/V1-1", "damaged/.t-1", "damaged/V1.t-99999999999999999999", "queue/V1.t-1", "V1.t-1"}) {
    EXPECT_FALSE(parse_damaged(text).ok()) << text;
  }
}

}  // namespace
}  // namespace reclaim::archive
