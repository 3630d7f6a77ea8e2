#include "archive/mounts.hpp"

#include <gtest/gtest.h>

#include "adapters/objects_memory/memory_store.hpp"
#include "archive/objects.hpp"
#include "archive/store_check.hpp"
#include "archive/store_text.hpp"
#include "crash/hands/hands.hpp"
#include "unit/archive/samples.hpp"

namespace reclaim::archive {
namespace {

using samples::AtWork;

const Vid kTape("V1");

class Mounts : public testing::Test {
 protected:
  std::vector<std::string> findings() {
    std::vector<std::string> found;
    for (const Finding& finding : check_store(store).value().findings) {
      EXPECT_TRUE(is_leftover(finding.kind));
      found.push_back(std::string(name_of(finding.kind)) + ": " + finding.sentence);
    }
    return found;
  }

  objects_memory::MemoryStore store;
  AtWork one{store, "drive-1"};
  AtWork other{store, "drive-2"};
};

TEST_F(Mounts, ATapeIsInOneDriveAtATime) {
  EXPECT_TRUE(mount(one.hand, kTape, "D1", 5).ok());
  EXPECT_TRUE(mount(one.hand, kTape, "D1", 6).ok()) << "asked again";
  const Status late = mount(other.hand, kTape, "D2", 7);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().kind, Error::Kind::kConflict);
  EXPECT_EQ(late.error().message, "V1 is mounted in drive D1");
  EXPECT_TRUE(other.agent->owned().empty());
  const Mount there = find_mount(store, kTape).value().value();
  EXPECT_EQ(there.drive, "D1");
  EXPECT_EQ(there.agent, one.agent->id());
  EXPECT_EQ(there.since_ms, 5);
  EXPECT_TRUE(unmount(other.hand, kTape).ok());
  EXPECT_TRUE(find_mount(store, kTape).value().has_value()) << "another's is left alone";
  EXPECT_TRUE(unmount(one.hand, kTape).ok());
  EXPECT_TRUE(unmount(one.hand, kTape).ok());
  EXPECT_TRUE(one.agent->owned().empty());
  EXPECT_TRUE(mount(other.hand, kTape, "D2", 8).ok());
}

TEST_F(Mounts, ADriveWhoseNameIsNoneMountsNothing) {
  const Status made = mount(one.hand, kTape, "no name", 5);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().field, "drive");
  EXPECT_TRUE(list_mounts(store).value().empty());
}

TEST_F(Mounts, OfAnAgentThatIsNotThereAreLeftOver) {
  EXPECT_TRUE(mount(one.hand, kTape, "D1", 5).ok());
  const Mount there = find_mount(store, kTape).value().value();
  EXPECT_TRUE(is_held(store, there).value());
  EXPECT_TRUE(findings().empty());
  store.remove(one.agent->id().object(), store.read(one.agent->id().object()).value().version).value();
  EXPECT_FALSE(is_held(store, there).value());
  EXPECT_EQ(findings(), (std::vector<std::string>{"dead-mount: mount/V1 is by " + one.agent->id().str() + ", which is not there"}));
  EXPECT_TRUE(remove_mount(store, there).ok());
  EXPECT_TRUE(remove_mount(store, there).ok());
  EXPECT_TRUE(findings().empty());
}

TEST_F(Mounts, AreListedByVidAndOneThatCannotBeReadHindersNoOther) {
  for (const char* vid : {"V3", "V1"}) EXPECT_TRUE(mount(one.hand, Vid(vid), "D1", 5).ok());
  store.create(mount_name(Vid("V2")), "garbage").value();
  const std::vector<Mount> mounts = list_mounts(store).value();
  ASSERT_EQ(mounts.size(), 3U);
  EXPECT_EQ(mounts[0].vid.str(), "V1");
  EXPECT_EQ(mounts[0].drive, "D1");
  EXPECT_EQ(mounts[1].problem, "object mount/V2: not an object of Reclaim's, or cut off");
  EXPECT_TRUE(is_held(store, mounts[1]).value()) << "nobody can say whose it is";
  EXPECT_TRUE(mounts[2].problem.empty());
  EXPECT_EQ(find_mount(store, Vid("V2")).error().kind, Error::Kind::kCorrupt);
}

TEST_F(Mounts, ARecordThatBreaksARuleIsRefused) {
  stored::Mount record;
  record.set_agent("agent/d@1");
  record.set_drive("D1");
  EXPECT_TRUE(decode_mount(kTape, encode(kTape, record)).ok());
  EXPECT_FALSE(decode_mount(Vid("V2"), encode(kTape, record)).ok()) << "another tape's";
  const auto why_not = [&] { return decode_mount(kTape, encode(kTape, record)).error().message; };
  record.set_agent("queue/V1.t");
  EXPECT_TRUE(why_not().starts_with("object mount/V1: agent: ")) << why_not();
  record.set_agent("agent/d@1");
  record.set_drive("");
  EXPECT_EQ(why_not(), "object mount/V1: drive: must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  record.set_drive("D1");
  record.set_since_ms(-1);
  EXPECT_EQ(why_not(), "object mount/V1: since_ms: is before 1970");
}

TEST_F(Mounts, AndWhatWasSetAsideAreShown) {
  EXPECT_TRUE(mount(one.hand, kTape, "D1", 0).ok());
  const std::string shown = text_of(mount_name(kTape), store.read(mount_name(kTape)).value());
  EXPECT_NE(shown.find("\n  drive: D1\n  since: 1970-01-01T00:00:00.000Z\n"), std::string::npos) << shown;

  const SegmentId segment{.epoch = 17, .number = 42};
  stored::Damaged damaged;
  damaged.set_reason("cut off");
  damaged.set_content(encode(segment, samples::segment("queue/V1.t", segment, {1})).substr(0, 40));
  const std::string text = text_of(damaged_name(segment), ports::Object{encode(segment, damaged), {12}});
  EXPECT_NE(text.find("\n  reason: cut off\n  content:\n    name: segment/17-42\n    size: 40\n    damaged: "), std::string::npos) << text;
  EXPECT_NE(text.find("\n    begins: 52 43 4c 4d "), std::string::npos) << text;
}

}  // namespace
}  // namespace reclaim::archive
