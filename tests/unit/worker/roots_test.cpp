#include "worker/roots.hpp"

#include <gtest/gtest.h>

#include "unit/worker/worker_world.hpp"

namespace reclaim::worker {
namespace {

TEST(Roots, FirstUseMakesAnIncarnationAndTheFirstStart) {
  CountingRandom random;
  const Marker marker = next_marker({{"dir:/v", std::nullopt}}, random).value();
  EXPECT_EQ(marker.incarnation.size(), 36U);
  EXPECT_EQ(marker.started, 1);
}

TEST(Roots, NewRootJoinsTheOthersAndTheHighestStartCounts) {
  CountingRandom random;
  const Marker marker = next_marker({{"dir:/v", Marker{"i", 4}}, {"runc:/c", std::nullopt}, {"dir:/w", Marker{"i", 7}}}, random).value();
  EXPECT_EQ(marker, (Marker{"i", 8}));
}

TEST(Roots, RootsOfDifferentMachinesAreRefusedByName) {
  CountingRandom random;
  const auto marker = next_marker({{"dir:/v", Marker{"i", 4}}, {"runc:/c", Marker{"j", 4}}}, random);
  ASSERT_FALSE(marker.ok());
  EXPECT_NE(marker.error().message.find("dir:/v and runc:/c"), std::string::npos) << marker.error().message;
}

TEST(Roots, WhatAnyOfThemNamesIsNamed) {
  CountingRandom random;
  const Marker marker =
      next_marker({{"dir:/v", Marker{"i", 4, {"dir:/v", "dir:/w"}}}, {"dir:/x", Marker{"i", 2, {"dir:/x", "dir:/v"}}}}, random).value();
  EXPECT_EQ(marker, (Marker{"i", 5, {"dir:/v", "dir:/w", "dir:/x"}}));
}

TEST(Roots, MarkerIsReadBackAndADamagedOneIsCorrupt) {
  EXPECT_EQ(parse_marker(to_text({"i", 3})).value(), (Marker{"i", 3}));
  EXPECT_EQ(parse_marker(to_text({"i", 3, {"dir:/v w"}})).value(), (Marker{"i", 3, {"dir:/v w"}}));
  for (const char* text : {"", "{}", "[]", "{\"incarnation\":\"i\"}", "{\"incarnation\":\"\",\"started\":1}",
                           "{\"incarnation\":\"i\",\"started\":-1}", "{\"incarnation\":\"i\",\"started\":1,\"x\":1}",
                           "{\"incarnation\":\"i\",\"started\":1,\"roots\":\"x\"}", "{\"incarnation\":\"i\",\"sta"}) {
    const auto marker = parse_marker(text);
    ASSERT_FALSE(marker.ok()) << text;
    EXPECT_EQ(marker.error().kind, Error::Kind::kCorrupt) << text;
  }
}

}  // namespace
}  // namespace reclaim::worker
