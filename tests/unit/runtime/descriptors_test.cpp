#include "runtime/descriptors.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace reclaim::runtime {
namespace {

TEST(Descriptors, TheLimitIsThatOfNow) {
  rlimit normal = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &normal), 0);
  const rlimit tight = {200, normal.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  EXPECT_EQ(descriptor_limit(), 200U);
  EXPECT_TRUE(leaves_descriptors(149, 25));
  EXPECT_FALSE(leaves_descriptors(150, 25));
  EXPECT_TRUE(leaves_descriptors(150, kLeftByApi));
  EXPECT_FALSE(leaves_descriptors(-1, 0));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &normal), 0);
  EXPECT_EQ(descriptor_limit(), normal.rlim_cur);
}

TEST(Descriptors, OfALargeSupplyNoMoreIsLeftThanIsEverNeeded) {
  const int limit = static_cast<int>(descriptor_limit());
  if (limit < 10'000) GTEST_SKIP() << "needs a limit of 10000 descriptors";
  EXPECT_TRUE(leaves_descriptors(limit - 513, 25));
  EXPECT_FALSE(leaves_descriptors(limit - 512, 25));
}

}  // namespace
}  // namespace reclaim::runtime
