// Connections that break, an OSD that stops or dies: what was answered is true, and what was not is said to be unknown.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "adapters/objects_rados/rados_store.hpp"
#include "contract/store/contention.hpp"
#include "contract/store/stores.hpp"
#include "support/ceph.hpp"

namespace reclaim::test {
namespace {

using objects_rados::open_rados;
using ports::Object;
using ports::ObjectStore;
using ports::StoreAnswer;
using ports::StoreCall;
using ports::Version;
using testing_support::real_clock;
using enum Error::Kind;

std::size_t count_in(const std::string& path, const std::string& what) {
  std::ifstream file(path);
  std::size_t count = 0;
  for (std::string line; std::getline(file, line);) count += line.find(what) != std::string::npos ? 1 : 0;
  return count;
}

// An OSD needs its time on a busy machine.
template <class Predicate>
bool within_a_minute(Predicate holds) {
  for (int sixth = 0; sixth < 6; ++sixth) {
    if (testing_support::eventually(holds)) return true;
  }
  return false;
}

// The client breaks its own connections: calls get lost on the way there, answers on the way back, and librados sends again.
class RadosLostAnswers : public testing::Test {
 public:
  ~RadosLostAnswers() override {
    store.reset();
    EXPECT_GT(count_in(log, "injecting socket failure"), 20U) << "nothing was broken";
    ceph.delete_pool(pool);
  }

 protected:
  static constexpr int kTimes = 1000;

  PrivateCeph& ceph = PrivateCeph::shared();
  testing_support::TempDirectory directory;
  const std::string log = directory / "log";
  const std::string pool = ceph.fresh_pool();
  const std::string conf = ceph.conf_with(
      "ms inject socket failures = 60\nms initial backoff = 0.01\nms max backoff = 0.1\nlog file = " + log + "\nlog to file = true\n");
  std::unique_ptr<ObjectStore> store = open_rados({.pool = pool, .conf = conf}, real_clock()).value();
};

TEST_F(RadosLostAnswers, AWriterAloneIsNeverRefusedAndItsVersionsAreTrue) {
  Version version = store->create(kCounter, "0").value();
  for (int i = 1; i <= kTimes; ++i) {
    const Result<Version> next = store->replace(kCounter, version, std::to_string(i));
    ASSERT_TRUE(next.ok()) << i << ": " << next.error().message;
    ASSERT_GT(next.value(), version);
    version = next.value();
  }
  const Object object = store->read(kCounter).value();
  EXPECT_EQ(object.bytes, std::to_string(kTimes));
  EXPECT_EQ(object.version, version);
}

TEST_F(RadosLostAnswers, CreatesAndRemovesHappenOnce) {
  Version last;
  for (int i = 0; i < kTimes / 2; ++i) {
    const Result<Version> created = store->create(kCounter, "x");
    ASSERT_TRUE(created.ok()) << i << ": " << created.error().message;
    ASSERT_GT(created.value(), last);
    last = created.value();
    const Status removed = store->remove(kCounter, last);
    ASSERT_TRUE(removed.ok()) << i << ": " << removed.error().message;
  }
  EXPECT_EQ(failure(store->read(kCounter)), kNotFound);
}

TEST_F(RadosLostAnswers, NoUpdateOfManyIsLostOrDoneTwice) {
  store->create(kCounter, "0").value();
  std::atomic<int> done = 0;
  std::atomic<int> unknown = 0;
  const auto count_up = [&] {
    for (int i = 0; i < kTimes / 10; ++i) {
      const Object now = store->read(kCounter).value();
      const Result<Version> next = store->replace(kCounter, now.version, std::to_string(std::stoi(now.bytes) + 1));
      if (next.ok()) ++done;
      if (failure(next) == kUnavailable) ++unknown;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(count_up);
  for (std::thread& thread : threads) thread.join();
  const int counted = std::stoi(store->read(kCounter).value().bytes);
  EXPECT_GT(done, 0);
  EXPECT_GE(counted, done);
  EXPECT_LE(counted, done + unknown);
}

TEST(RadosStopped, WhatIsNotAnsweredIsUnavailableInTimeAndTheStoreGoesOn) {
  PrivateCeph& ceph = PrivateCeph::shared();
  const std::string pool = ceph.fresh_pool();
  const std::chrono::seconds call_timeout(1);
  const auto store = open_rados({.pool = pool, .conf = ceph.conf(), .call_timeout = call_timeout}, real_clock()).value();
  const Version version = store->create(kCounter, "0").value();
  std::vector<StoreCall> calls;
  for (std::size_t i = 0; i < ports::kStoreBatchMax; ++i) calls.push_back(ports::create_call({"segment", std::to_string(i)}, "x"));

  ceph.signal_osd(SIGSTOP);
  const Instant began = real_clock().now();
  EXPECT_EQ(failure(store->replace(kCounter, version, "1")), kUnavailable);
  EXPECT_EQ(failure(store->read(kCounter)), kUnavailable);
  EXPECT_EQ(failure(store->list_all("segment")), kUnavailable);
  for (const StoreAnswer& answer : store->run(calls)) EXPECT_EQ(failure(answer), kUnavailable);
  const Millis took = real_clock().now() - began;
  ceph.signal_osd(SIGCONT);
  EXPECT_LT(took, 10 * call_timeout);

  // The replace may happen late, or not at all; once.
  EXPECT_TRUE(within_a_minute([&] { return store->read(kCounter).ok(); }));
  const auto is_counted = [&] {
    const Result<Object> now = store->read(kCounter);
    return now.ok() && store->replace(kCounter, now.value().version, "2").ok();
  };
  EXPECT_TRUE(within_a_minute(is_counted));
  EXPECT_EQ(store->read(kCounter).value().bytes, "2");
  ceph.delete_pool(pool);
}

// An OSD that forgets nothing is killed while a writer goes on; the same door sees it come back.
TEST(RadosKilled, WhatWasAnsweredIsThereAndAWriterAloneIsNeverRefused) {
  PrivateCeph ceph("bluestore");
  const auto store = open_rados({.pool = "reclaim", .conf = ceph.conf(), .call_timeout = std::chrono::seconds(60)}, real_clock()).value();
  std::atomic<int> created = 0;
  std::atomic<bool> over = false;
  std::vector<Version> answered;
  std::thread writer([&] {
    Version counter = store->create(kCounter, "0").value();
    for (int i = 0; !over; ++i) {
      const Result<Version> next = store->replace(kCounter, counter, std::to_string(i));
      const Result<Version> fresh = store->create({"segment", std::to_string(i)}, std::to_string(i));
      ASSERT_TRUE(next.ok() && fresh.ok()) << i << ": " << (next.ok() ? fresh.error().message : next.error().message);
      counter = next.value();
      answered.push_back(fresh.value());
      ++created;
    }
  });
  const auto progress = [&](int more) { return within_a_minute([&, until = created + more] { return created > until; }); };
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(progress(50));
    ceph.signal_osd(SIGKILL);
    ceph.start_osd();
    EXPECT_TRUE(progress(1)) << "the door that was open does not notice the OSD";
  }
  over = true;
  writer.join();
  for (std::size_t i = 0; i < answered.size(); ++i) {
    const Object object = store->read({"segment", std::to_string(i)}).value();
    EXPECT_EQ(object.bytes, std::to_string(i));
    EXPECT_EQ(object.version, answered[i]);
  }
  EXPECT_EQ(store->read(kCounter).value().bytes, std::to_string(answered.size() - 1));
}

}  // namespace
}  // namespace reclaim::test
