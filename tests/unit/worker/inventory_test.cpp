#include "worker/inventory.hpp"

#include <gtest/gtest.h>

namespace reclaim::worker {
namespace {

using Strings = std::vector<std::string>;

std::vector<ports::Listed> listing(const Strings& names) {
  std::vector<ports::Listed> listed;
  for (const std::string& name : names) listed.push_back({name});
  return listed;
}

void look_at(InventoryTracker& tracker, const std::vector<Strings>& lists) {
  for (std::size_t i = 0; i < lists.size(); ++i) tracker.take(i, listing(lists[i]));
  tracker.look(true);
}

TEST(InventoryTracker, LostAcknowledgementKeepsTheBase) {
  InventoryTracker tracker(1);
  look_at(tracker, {{"a"}});
  (void)tracker.frame(1);
  tracker.answered(1, true);
  look_at(tracker, {{"a", "b"}});
  (void)tracker.frame(2);
  look_at(tracker, {{"a", "c"}});
  const auto frame = tracker.frame(3);
  EXPECT_EQ(frame->base, 1);
  EXPECT_EQ(frame->added, Strings{"c"});
  tracker.answered(2, true);
  look_at(tracker, {{"a", "c"}});
  EXPECT_EQ(tracker.frame(4)->base, 1) << "only the sync that was sent last can be acknowledged";
}

TEST(InventoryTracker, OneUnreadableRootLeavesTheKindOutAndKeepsItsPlaces) {
  InventoryTracker tracker(2);
  look_at(tracker, {{"a"}, {"b"}});
  tracker.take(0, listing({"a"}));
  tracker.look(false);
  EXPECT_FALSE(tracker.frame(1));
  EXPECT_EQ(tracker.drivers_of("b"), std::vector<std::size_t>{1});
}

TEST(InventoryTracker, HandleThatStopsBeingAmbiguousIsReported) {
  InventoryTracker tracker(2);
  look_at(tracker, {{"a"}, {"a"}});
  EXPECT_TRUE(tracker.frame(1)->added.empty());
  EXPECT_EQ(tracker.malformed(), Strings{"a"});
  tracker.answered(1, true);
  look_at(tracker, {{}, {"a"}});
  EXPECT_EQ(tracker.frame(2)->added, Strings{"a"});
  EXPECT_TRUE(tracker.malformed().empty());
}

TEST(InventoryTracker, DigestOfADeltaIsThatOfTheWholeSet) {
  InventoryTracker tracker(1);
  Strings names;
  for (int i = 0; i < 100'000; ++i) names.push_back("handle-" + std::to_string(i));
  look_at(tracker, {names});
  (void)tracker.frame(1);
  tracker.answered(1, true);
  names.erase(names.begin() + 500, names.begin() + 510);
  names.push_back("new");
  look_at(tracker, {names});
  const auto frame = tracker.frame(2);
  SetDigest whole;
  for (const std::string& name : names) whole.add(name);
  EXPECT_EQ(frame->added.size(), 1U);
  EXPECT_EQ(frame->removed.size(), 10U);
  EXPECT_EQ(frame->count, 99'991);
  EXPECT_EQ(frame->digest, whole);
}

}  // namespace
}  // namespace reclaim::worker
