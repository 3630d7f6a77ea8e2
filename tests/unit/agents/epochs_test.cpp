#include "agents/epochs.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "adapters/objects_memory/memory_store.hpp"
#include "sim/fleet_world.hpp"

namespace reclaim::test {
namespace {

using agents::draw_epoch;
using sim::must;

// Lets somebody else act before call number `at`.
class InterruptedStore : public ports::ObjectStore {
 public:
  InterruptedStore(ports::ObjectStore& inner, int at, std::function<void()> act) : inner_(inner), at_(at), act_(std::move(act)) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    arrive();
    return inner_.run(calls);
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    arrive();
    return inner_.list(kind, after, limit);
  }
  bool has_happened() const { return calls_ > at_; }

 private:
  void arrive() {
    if (calls_++ == at_) act_();
  }

  ports::ObjectStore& inner_;
  const int at_;
  const std::function<void()> act_;
  int calls_ = 0;
};

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
