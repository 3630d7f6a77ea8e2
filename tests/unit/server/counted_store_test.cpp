#include "server/counted_store.hpp"

#include <gtest/gtest.h>

#include "adapters/objects_memory/memory_store.hpp"

namespace reclaim::server {
namespace {

TEST(CountedStore, CountsEachCallByWhatCameOfIt) {
  CountedStore store(std::make_unique<objects_memory::MemoryStore>());
  const ports::Version first = store.create({"segment", "1-1"}, "a").value();
  EXPECT_FALSE(store.create({"segment", "1-1"}, "b").ok());
  EXPECT_TRUE(store.replace({"segment", "1-1"}, first, "c").ok());
  EXPECT_FALSE(store.replace({"segment", "1-1"}, first, "d").ok());
  EXPECT_FALSE(store.remove({"segment", "1-2"}, first).ok());
  const std::vector calls{ports::read_call({"segment", "1-1"}), ports::read_call({"segment", "1-2"})};
  EXPECT_EQ(store.run(calls).size(), 2u);
  EXPECT_EQ(store.list_all("segment").value().size(), 1u);
  EXPECT_EQ(store.calls(), (StoreCalls{{{"create", "conflict"}, 1},
                                       {{"create", "ok"}, 1},
                                       {{"list", "ok"}, 1},
                                       {{"read", "not-found"}, 1},
                                       {{"read", "ok"}, 1},
                                       {{"remove", "not-found"}, 1},
                                       {{"replace", "conflict"}, 1},
                                       {{"replace", "ok"}, 1}}));
}

}  // namespace
}  // namespace reclaim::server
