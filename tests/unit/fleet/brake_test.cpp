#include "fleet/brake.hpp"

#include <gtest/gtest.h>

namespace reclaim::fleet {
namespace {

constexpr auto kVolume = ResourceKind::kVolume;

bool brakes(const Impact& impact, const Policy& policy = {}) { return !brake_reason(kVolume, impact, policy).empty(); }

TEST(Brake, NeedsMoreThanTheFractionAndMoreThanTheMinimum) {
  EXPECT_FALSE(brakes({.missing = 20, .created = 20})) << "not more than the minimum";
  EXPECT_TRUE(brakes({.missing = 21, .created = 21}));
  EXPECT_FALSE(brakes({.missing = 50, .created = 100})) << "not more than half";
  EXPECT_TRUE(brakes({.missing = 51, .created = 100}));
}

TEST(Brake, CountsStrangersAgainstTheRowsThatThereAre) {
  EXPECT_FALSE(brakes({.strangers = 20}));
  EXPECT_TRUE(brakes({.strangers = 21}));
  EXPECT_FALSE(brakes({.strangers = 21, .created = 42}));
  EXPECT_TRUE(brakes({.strangers = 22, .created = 42}));
}

TEST(Brake, MissingAndStrangersAreCountedApart) { EXPECT_FALSE(brakes({.missing = 40, .strangers = 40, .created = 100})); }

TEST(Brake, TheOperatorMayMoveBothBounds) {
  EXPECT_TRUE(brakes({.missing = 1, .created = 100}, {.brake_fraction = 0, .brake_min = 0}));
  EXPECT_FALSE(brakes({.missing = 100, .created = 100}, {.brake_fraction = 1, .brake_min = 0})) << "more than all there are";
}

TEST(Brake, SaysWhatItStopped) {
  EXPECT_EQ(brake_reason(kVolume, {.missing = 60, .created = 60}, {}), "60 of 60 volumes would be missing");
}

}  // namespace
}  // namespace reclaim::fleet
