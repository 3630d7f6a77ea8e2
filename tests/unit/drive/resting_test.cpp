#include <gtest/gtest.h>

#include <set>

#include "drive/resting.hpp"
#include "support/blind_store.hpp"
#include "unit/drive/shop.hpp"

namespace reclaim::drive {
namespace {

using test::kNow;
using test::RequestId;
using test::Shop;
using test::Vid;

TEST(Resting, IsASecondAndEachTimeTwiceAsLongUntilAMinute) {
  const Vid vid("V1");
  Resting resting;
  EXPECT_FALSE(resting.rests(vid, kNow));
  for (const std::int64_t length : {1000, 2000, 4000, 8000, 16'000, 32'000, 60'000, 60'000}) {
    resting.begin(vid, kNow);
    EXPECT_TRUE(resting.rests(vid, kNow + length - 1)) << length;
    EXPECT_FALSE(resting.rests(vid, kNow + length)) << length;
  }
  EXPECT_FALSE(resting.rests(vid, kNow - 1)) << "the clock was set back";
  EXPECT_FALSE(resting.rests(Vid("V2"), kNow));
  resting.end(vid);
  EXPECT_FALSE(resting.rests(vid, kNow));
  resting.begin(vid, kNow);
  EXPECT_FALSE(resting.rests(vid, kNow + 1000)) << "it begins anew";
}

// The tape with the oldest requests was mounted without end, and no other one ever.
void expect_that_others_have_their_turn(Error::Kind why) {
  Shop shop({"V1", "V2"});
  shop.add_file("f1", {"V1"}, 1);
  shop.add_file("f2", {"V2"}, 1);
  const RequestId first = shop.enqueue("f1");
  shop.now_ms += 1;
  shop.enqueue("f2");
  reclaim::test::BlindStore store(shop.store, {object_name(first.origin)}, why);
  const auto agent = agents::Agent::register_as(store, "D2", "drive").value();
  archive::Hand hand(store, *agent);
  archive::ArchiveEstate estate(hand, [&] { return shop.context(); });
  const Drive of_shop = shop.drive();
  Drive drive{.name = shop.drive_name,
              .hand = hand,
              .estate = estate,
              .context = of_shop.context,
              .library = shop.library,
              .buffer = shop.buffer,
              .load = of_shop.load,
              .unload = of_shop.unload,
              .is_stopping = of_shop.is_stopping};
  const auto serve = [&] { return serve_one_mount(drive); };

  const Result<MountReport> in_vain = serve();
  EXPECT_TRUE(!in_vain.ok() || !in_vain.value().problems.empty());
  EXPECT_EQ(shop.hooks, (std::vector<std::string>{"load V1", "unload V1"}));
  const MountReport other = serve().value();
  EXPECT_EQ(other.vid, Vid("V2"));
  EXPECT_EQ(other.delivered, 1U);
  EXPECT_EQ(serve().value().vid, std::nullopt) << "V1 rests";
  shop.now_ms += 1000;
  (void)serve();
  shop.now_ms += 1999;
  EXPECT_EQ(serve().value().vid, std::nullopt) << "twice as long";
  EXPECT_EQ(shop.hooks.size(), 6U);
  shop.now_ms += 1;
  store.sees = true;
  EXPECT_EQ(serve().value().delivered, 1U);
  EXPECT_EQ(shop.findings(), std::vector<std::string>());
}

TEST(Choice, ATapeWhoseRequestsTheStoreCannotReadKeepsNoOtherWaiting) { expect_that_others_have_their_turn(Error::Kind::kCorrupt); }

TEST(Choice, ATapeWhoseRequestsAreAwayKeepsNoOtherWaiting) { expect_that_others_have_their_turn(Error::Kind::kUnavailable); }

// Of some tapes it cannot say whether they are there.
class DimLibrary : public ports::TapeLibrary {
 public:
  DimLibrary(ports::TapeLibrary& inner, std::set<std::string> vids) : unseen(std::move(vids)), inner_(inner) {}

  std::string name() const override { return inner_.name(); }
  Result<bool> has(const std::string& vid) override {
    if (unseen.contains(vid)) return unavailable("tape " + vid + " is away: somebody has put a link there");
    return inner_.has(vid);
  }
  Result<std::uint64_t> last_fseq(const std::string& vid) override { return inner_.last_fseq(vid); }
  Result<std::unique_ptr<ports::TapeReader>> open(const std::string& vid, std::uint64_t fseq) override { return inner_.open(vid, fseq); }
  Result<std::unique_ptr<ports::TapeWriter>> begin(const std::string& vid, std::uint64_t fseq) override { return inner_.begin(vid, fseq); }

  std::set<std::string> unseen;

 private:
  ports::TapeLibrary& inner_;
};

// No tape was mounted at all as long as there was one that could not be looked for.
TEST(Choice, ATapeThatCannotBeSeenKeepsNoOtherWaiting) {
  Shop shop({"V1", "V2"});
  shop.add_file("f1", {"V1"}, 1);
  shop.add_file("f2", {"V2"}, 1);
  shop.enqueue("f1");
  shop.enqueue("f2");
  DimLibrary library(shop.library, {"V1"});
  const Drive of_shop = shop.drive();
  Drive drive{.name = shop.drive_name,
              .hand = shop.hand,
              .estate = shop.estate,
              .context = of_shop.context,
              .library = library,
              .buffer = shop.buffer,
              .load = of_shop.load,
              .unload = of_shop.unload,
              .is_stopping = of_shop.is_stopping};
  const MountReport report = serve_one_mount(drive).value();
  EXPECT_EQ(report.vid, Vid("V2"));
  EXPECT_EQ(report.problems, (std::vector<std::string>{"tape V1 is away: somebody has put a link there"}));
  const MountReport idle = serve_one_mount(drive).value();
  EXPECT_EQ(idle.vid, std::nullopt);
  EXPECT_TRUE(idle.problems.empty()) << "it rests, and is not told of all the time";
  library.unseen.clear();
  shop.now_ms += 1000;
  EXPECT_EQ(serve_one_mount(drive).value().vid, Vid("V1"));
}

TEST(Choice, ALibraryThatShowsNoTapeIsAway) {
  Shop shop({"V1", "V2"});
  shop.add_file("f1", {"V1"}, 1);
  shop.enqueue("f1");
  DimLibrary library(shop.library, {"V1", "V2"});
  const Drive of_shop = shop.drive();
  Drive drive{.name = shop.drive_name,
              .hand = shop.hand,
              .estate = shop.estate,
              .context = of_shop.context,
              .library = library,
              .buffer = shop.buffer,
              .load = of_shop.load,
              .unload = of_shop.unload,
              .is_stopping = of_shop.is_stopping};
  EXPECT_EQ(serve_one_mount(drive).error().kind, Error::Kind::kUnavailable);
  library.unseen.clear();
  EXPECT_EQ(serve_one_mount(drive).value().vid, Vid("V1")) << "at once";
}

}  // namespace
}  // namespace reclaim::drive
