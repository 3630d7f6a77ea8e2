// Handles under two roots, and kinds that a worker cannot list.
#include "contract/fleet/guards.hpp"

namespace reclaim::test {
namespace {

using sim::joined;
using sim::Teller;

constexpr auto kContainer = ResourceKind::kContainer;
constexpr auto kVolume = ResourceKind::kVolume;

class Unlisted : public Guarded {};

TEST_P(Unlisted, AHandleUnderTwoRootsIsNeitherMissingNorGoneNorDestroyed) {
  world.enroll("w1");
  Teller teller(world);
  world.add_container("kept", "build");
  world.add_container("unwanted", "");
  teller.tell("kept unwanted");
  const auto ambiguous = [&] {
    wire::SyncRequest request = teller.frame("");
    request.malformed = {{kContainer, "kept"}, {kContainer, "unwanted"}};
    return request;
  };
  teller.tell(ambiguous());
  world.collect();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(joined(teller.tell(ambiguous()).destroy.containers), "");
  pass_graces();
  EXPECT_EQ(world.containers(), "kept:created unwanted:destroying");
  EXPECT_EQ(joined(teller.tell("kept unwanted").destroy.containers), "unwanted") << "once it is under one root";
}

TEST_P(Unlisted, AKindThatIsNotListedSaysWhyAndOnce) {
  world.enroll("w1");
  Teller teller(world);
  const auto without_volumes = [&] {
    wire::SyncRequest request = teller.frame("");
    request.inventories.volumes.reset();
    request.unlisted = {{kVolume, "/srv/v is not mounted"}};
    return request;
  };
  for (int i = 0; i < 3; ++i) teller.tell(without_volumes());
  EXPECT_EQ(events("unlisted"), 1);
  ASSERT_EQ(worker().unlisted.size(), 1U);
  EXPECT_EQ(worker().unlisted[0].error, "/srv/v is not mounted");
  teller.tell("");
  EXPECT_EQ(events("listed"), 1);
  EXPECT_TRUE(worker().unlisted.empty());
}

ON_BOTH_ENGINES(Unlisted);

}  // namespace
}  // namespace reclaim::test
