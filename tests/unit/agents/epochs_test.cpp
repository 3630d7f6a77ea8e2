#include "agents/epochs.hpp"

#include <gtest/gtest.h>

#include <set>

#include "adapters/objects_memory/memory_store.hpp"
#include "sim/fleet_world.hpp"
#include "support/interrupted_store.hpp"

namespace reclaim::test {
namespace {

using agents::draw_epoch;
using sim::must;

// The first one makes the root; from the second on it is there.
TEST(Epochs, AreNeverTheSameWhoeverComesInBetween) {
  for (const int before : {0, 1}) {
    bool is_reached = true;
    for (int at = 0; is_reached; ++at) {
      objects_memory::MemoryStore store;
      std::set<std::uint64_t> drawn;
      for (int i = 0; i < before; ++i) drawn.insert(must(draw_epoch(store)));
      InterruptedStore interrupted(store, at, [&] { drawn.insert(must(draw_epoch(store))); });
      drawn.insert(must(draw_epoch(interrupted)));
      is_reached = interrupted.has_happened();
      EXPECT_EQ(drawn.size(), static_cast<std::size_t>(before) + (is_reached ? 2 : 1)) << "another one drew before call " << at;
    }
  }
}

}  // namespace
}  // namespace reclaim::test
