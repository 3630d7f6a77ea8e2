// Syncs of a worker with nothing new: one statement, which must not pass over what waits for that worker.
#include "contract/fleet/engines.hpp"

namespace reclaim::test {
namespace {

using sim::joined;
using sim::Teller;
using namespace std::chrono_literals;

class QuietSync : public FleetTest {
 protected:
  void SetUp() override {
    world.enroll("w1");
    teller.tell("");
  }
  // One flag instead of inventories.
  wire::SyncRequest nothing_new() {
    wire::SyncRequest request = teller.frame("");
    request.inventories = {};
    request.same = true;
    return request;
  }
  Teller teller{world};
};

// Its mark is as old as what the worker has heard last: only the row itself says that it is to go again (F2).
TEST_P(QuietSync, BringsTheOrderOfAFailedDestroyAgain) {
  world.add_container("c", "");
  world.collect();
  teller.tell("c");
  wire::SyncRequest failing = teller.frame("c");
  failing.results = {sim::failed(ResourceKind::kContainer, "c", "busy")};
  teller.tell(failing);
  EXPECT_EQ(joined(teller.tell(nothing_new()).destroy.containers), "") << "its backoff is not over";
  world.advance(1s);
  EXPECT_EQ(joined(teller.tell(nothing_new()).destroy.containers), "c");
}

ON_BOTH_ENGINES(QuietSync);

}  // namespace
}  // namespace reclaim::test
