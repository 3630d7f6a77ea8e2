// Listing, page by page, while others come and go.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "contract/store/stores.hpp"

namespace reclaim::test {
namespace {

using ports::StoreAnswer;
using ports::StoreCall;
using Keys = std::vector<std::string>;

class StoreListing : public StoreContract {
 protected:
  void create_all(const std::string& kind, const Keys& keys) {
    for (std::size_t begin = 0; begin < keys.size(); begin += ports::kStoreBatchMax) {
      std::vector<StoreCall> calls;
      const std::size_t end = std::min(begin + ports::kStoreBatchMax, keys.size());
      for (std::size_t i = begin; i < end; ++i) calls.push_back(ports::create_call({kind, keys[i]}, ""));
      for (const StoreAnswer& answer : store().run(calls)) ASSERT_TRUE(answer.ok()) << answer.error().message;
    }
  }
  Keys pages(const std::string& kind, std::size_t limit) {
    Keys all;
    for (;;) {
      const Keys page = store().list(kind, all.empty() ? "" : all.back(), limit).value();
      EXPECT_LE(page.size(), limit);
      all.insert(all.end(), page.begin(), page.end());
      if (page.size() < limit) return all;
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreListing, testing::ValuesIn(makers()), name_of);

// `q000017`
std::string numbered(int number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "q%06d", number);
  return text.data();
}

TEST_P(StoreListing, AnEmptyKindHasNoNames) {
  EXPECT_EQ(store().list("queue", "", 10).value(), Keys{});
  EXPECT_EQ(store().list_all("queue").value(), Keys{});
}

TEST_P(StoreListing, KeysOfOneKindAscendByTheirBytes) {
  create_all("queue", {"b", "a", "B", "a@", "a-", "a.b", "a_", "aa", "0"});
  create_all("queu", {"x"});
  create_all("queues", {"y"});
  create_all("r", {"z"});
  EXPECT_EQ(store().list("queue", "", 100).value(), (Keys{"0", "B", "a", "a-", "a.b", "a@", "a_", "aa", "b"}));
  EXPECT_EQ(store().list("queue", "a", 2).value(), (Keys{"a-", "a.b"}));
  EXPECT_EQ(store().list("queue", "a0", 2).value(), (Keys{"a@", "a_"}));
  EXPECT_EQ(store().list("queue", "b", 100).value(), Keys{});
  EXPECT_EQ(store().list("queue", "", 0).value(), Keys{});
}

TEST_P(StoreListing, WhatWasRemovedIsNotListed) {
  create_all("queue", {"a", "b", "c"});
  EXPECT_TRUE(store().remove({"queue", "b"}, store().read({"queue", "b"}).value().version).ok());
  EXPECT_EQ(store().list_all("queue").value(), (Keys{"a", "c"}));
}

TEST_P(StoreListing, AHundredThousandNamesAreListedOnceEach) {
  Keys keys;
  for (int i = 0; i < 100'000; ++i) keys.push_back(numbered(i));
  create_all("queue", keys);
  EXPECT_EQ(store().list("queue", "", 1'000'000).value().size(), ports::kStoreListMax);
  EXPECT_TRUE(pages("queue", ports::kStoreListMax) == keys);
  EXPECT_TRUE(pages("queue", 4999) == keys);
  EXPECT_TRUE(store().list_all("queue").value() == keys);
}

// Even numbers stay, odd ones come and go.
TEST_P(StoreListing, WhatStaysIsListedWhileOthersComeAndGo) {
  Keys staying;
  for (int i = 0; i < 2000; i += 2) staying.push_back(numbered(i));
  create_all("queue", staying);
  std::atomic<bool> over = false;
  std::thread others([&] {
    for (int i = 1; !over; i = (i + 202) % 2000) {
      const Result<ports::Version> created = store().create({"queue", numbered(i)}, "");
      EXPECT_TRUE(created.ok() && store().remove({"queue", numbered(i)}, created.value()).ok());
    }
  });
  for (int round = 0; round < 20; ++round) {
    const Keys seen = pages("queue", 100);
    EXPECT_TRUE(std::ranges::adjacent_find(seen, std::greater_equal<>()) == seen.end());
    EXPECT_TRUE(std::ranges::includes(seen, staying));
  }
  over = true;
  others.join();
  EXPECT_EQ(store().list_all("queue").value(), staying);
}

}  // namespace
}  // namespace reclaim::test
