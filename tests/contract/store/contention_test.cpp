// Many at one object: no update is lost, and of those who take one thing exactly one has it.
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "contract/store/contention.hpp"
#include "contract/store/stores.hpp"

namespace reclaim::test {
namespace {

using ports::ObjectName;
using ports::Version;

constexpr int kThreads = 8;

void in_threads(const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

class StoreContention : public StoreContract {};

INSTANTIATE_TEST_SUITE_P(Stores, StoreContention, testing::ValuesIn(makers()), name_of);

TEST_P(StoreContention, NoGuardedUpdateOfOneObjectIsLost) {
  store().create(kCounter, "0").value();
  in_threads([&](int) { EXPECT_TRUE(count_up(store(), 100 / kThreads + 1)); });
  EXPECT_EQ(store().read(kCounter).value().bytes, std::to_string(kThreads * (100 / kThreads + 1)));
}

TEST_P(StoreContention, OneOfManyCreatorsWins) {
  for (int round = 0; round < 20; ++round) {
    const ObjectName name{"agent", std::to_string(round)};
    std::atomic<int> winners = 0;
    in_threads([&](int who) { winners += store().create(name, std::to_string(who)).ok() ? 1 : 0; });
    EXPECT_EQ(winners, 1);
  }
}

TEST_P(StoreContention, OneOfManyRemoversWins) {
  for (int round = 0; round < 20; ++round) {
    const ObjectName name{"agent", "a"};
    const Version version = store().create(name, "").value();
    std::atomic<int> winners = 0;
    in_threads([&](int) { winners += store().remove(name, version).ok() ? 1 : 0; });
    EXPECT_EQ(winners, 1);
  }
}

// Objects whose bytes are of one letter: who reads two letters has seen half a write.
TEST_P(StoreContention, AReadSeesAWholeWrite) {
  const ObjectName name{"segment", "a"};
  const std::size_t size = 100'000;
  store().create(name, std::string(size, 'a')).value();
  std::atomic<bool> over = false;
  std::thread writer([&] {
    for (char letter = 'a'; !over; letter = letter == 'z' ? 'a' : static_cast<char>(letter + 1)) {
      const Version version = store().read(name).value().version;
      EXPECT_TRUE(store().replace(name, version, std::string(size + static_cast<std::size_t>(letter), letter)).ok());
    }
  });
  Version last;
  for (int i = 0; i < 300; ++i) {
    const ports::Object seen = store().read(name).value();
    EXPECT_EQ(seen.bytes.find_first_not_of(seen.bytes.front()), std::string::npos);
    EXPECT_GE(seen.version, last);
    last = seen.version;
  }
  over = true;
  writer.join();
}

}  // namespace
}  // namespace reclaim::test
