// A page out of names that come in no order.
#include "adapters/objects_rados/page.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace reclaim::test {
namespace {

using Keys = std::vector<std::string>;

Keys page(const std::string& after, std::size_t limit, const Keys& keys) {
  objects_rados::Page page(after, limit);
  for (const std::string& key : keys) page.add(key);
  return page.take();
}

TEST(Page, HoldsTheFirstKeysAfterOneInTheirOrder) {
  const Keys keys = {"e", "b", "d", "a", "c", "f", "B"};
  EXPECT_EQ(page("", 100, keys), (Keys{"B", "a", "b", "c", "d", "e", "f"}));
  EXPECT_EQ(page("", 3, keys), (Keys{"B", "a", "b"}));
  EXPECT_EQ(page("b", 2, keys), (Keys{"c", "d"}));
  EXPECT_EQ(page("bb", 1, keys), (Keys{"c"}));
  EXPECT_EQ(page("f", 3, keys), Keys{});
  EXPECT_EQ(page("", 3, {}), Keys{});
}

TEST(Page, HoldsAKeyOnceHoweverOftenItComes) {
  EXPECT_EQ(page("", 2, {"a", "a", "a", "b", "a", "b", "c", "b", "a"}), (Keys{"a", "b"}));
  EXPECT_EQ(page("", 3, {"c", "c", "c", "c", "c", "c", "a"}), (Keys{"a", "c"}));
}

TEST(Page, DescendingKeysAreAllSeen) {
  Keys keys;
  for (int i = 999; i >= 100; --i) keys.push_back(std::to_string(i));
  EXPECT_EQ(page("", 3, keys), (Keys{"100", "101", "102"}));
  EXPECT_EQ(page("500", 2, keys), (Keys{"501", "502"}));
}

}  // namespace
}  // namespace reclaim::test
