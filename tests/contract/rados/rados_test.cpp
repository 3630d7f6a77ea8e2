// What the RADOS store says of pools and namespaces that are not what they should be.
#include "adapters/objects_rados/rados_store.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "contract/store/stores.hpp"
#include "support/ceph.hpp"

namespace reclaim::test {
namespace {

using objects_rados::open_rados;
using objects_rados::RadosOptions;
using ports::ObjectName;
using ports::Version;
using testing_support::real_clock;
using enum Error::Kind;

const ObjectName kQueue{"queue", "V00001.t"};

class RadosStore : public testing::Test {
 public:
  ~RadosStore() override {
    if (has_pool) ceph.delete_pool(options.pool);
  }

 protected:
  std::unique_ptr<ports::ObjectStore> open() { return open_rados(options, real_clock()).value(); }
  Error refusal() { return open_rados(options, real_clock()).error(); }

  PrivateCeph& ceph = PrivateCeph::shared();
  RadosOptions options{.pool = ceph.fresh_pool(), .conf = ceph.conf()};
  bool has_pool = true;
};

TEST_F(RadosStore, WhatIsMissingIsNamed) {
  const std::string pool = options.pool;
  options.pool = "nowhere";
  EXPECT_EQ(refusal().kind, kNotFound);
  EXPECT_EQ(refusal().message, "rados://nowhere/reclaim: there is no pool nowhere");
  options.pool = pool;
  options.conf = "/nowhere/ceph.conf";
  EXPECT_EQ(refusal().kind, kNotFound);
  EXPECT_EQ(refusal().message, "rados://" + pool + "/reclaim: there is no /nowhere/ceph.conf");
}

TEST_F(RadosStore, NobodyAtTheMonitorsAddressIsNoticedInTime) {
  const testing_support::TempDirectory directory;
  options.conf = directory / "ceph.conf";
  std::ofstream(options.conf) << "[global]\nmon host = v2:127.0.0.1:1\nauth client required = none\n";
  options.call_timeout = std::chrono::seconds(1);
  EXPECT_EQ(refusal().kind, kUnavailable);
  EXPECT_NE(refusal().message.find("no monitor answers"), std::string::npos) << refusal().message;
}

TEST_F(RadosStore, WhoOnlyLooksMakesNothing) {
  options.create = false;
  EXPECT_EQ(refusal().kind, kNotFound);
  EXPECT_EQ(refusal().kind, kNotFound);
  options.create = true;
  EXPECT_TRUE(open()->create(kQueue, "kept").ok());
  options.create = false;
  EXPECT_EQ(open()->read(kQueue).value().bytes, "kept");
}

TEST_F(RadosStore, AStoreOfANewerProgramAndOtherPeoplesAreRefused) {
  ceph.put(options.pool, "newer", "store", "RCLMOBJS 2");
  options.name_space = "newer";
  EXPECT_EQ(refusal().kind, kInvalid);
  EXPECT_NE(refusal().message.find("was written by a newer program: its format is 2, this one knows 1"), std::string::npos);
  ceph.put(options.pool, "other", "store", "something else");
  options.name_space = "other";
  EXPECT_EQ(refusal().kind, kCorrupt);
}

TEST_F(RadosStore, StoresOfOnePoolAreStrangers) {
  const auto one = open();
  options.name_space = "reclaim.queue";
  const auto other = open();
  EXPECT_TRUE(one->create(kQueue, "one").ok());
  EXPECT_EQ(failure(other->read(kQueue)), kNotFound);
  EXPECT_TRUE(other->create({"queue", "other"}, "").ok());
  EXPECT_EQ(one->list_all("queue").value(), std::vector<std::string>{kQueue.key});
}

TEST_F(RadosStore, NamesThatOthersPutThereAreNotListed) {
  const auto store = open();
  EXPECT_TRUE(store->create(kQueue, "").ok());
  for (const char* name : {"../queue", "a b", "\xc3", ".hidden"}) ceph.put(options.pool, "reclaim/queue", name, "x");
  EXPECT_EQ(store->list_all("queue").value(), std::vector<std::string>{kQueue.key});
}

TEST_F(RadosStore, AnObjectBeyondTheLimitIsCorrupt) {
  const auto store = open();
  ceph.put(options.pool, "reclaim/queue", kQueue.key, std::string(ports::kObjectBytesMax + 2, 'x'));
  EXPECT_EQ(failure(store->read(kQueue)), kCorrupt);
}

// An object that is not there and a pool that is not there have one code in RADOS: here they must not look alike.
TEST_F(RadosStore, ADeletedPoolIsUnavailableAlsoWhenItIsMadeAgain) {
  const auto store = open();
  const Version version = store->create(kQueue, "x").value();
  ceph.delete_pool(options.pool);
  has_pool = false;
  const auto all_is_unavailable = [&] {
    EXPECT_EQ(failure(store->read(kQueue)), kUnavailable);
    EXPECT_EQ(failure(store->create({"queue", "b"}, "")), kUnavailable);
    EXPECT_EQ(failure(store->replace(kQueue, version, "")), kUnavailable);
    EXPECT_EQ(failure(store->remove(kQueue, version)), kUnavailable);
    EXPECT_EQ(failure(store->list_all("queue")), kUnavailable);
  };
  all_is_unavailable();
  ceph.make_pool(options.pool);
  has_pool = true;
  all_is_unavailable();
  EXPECT_EQ(failure(open()->read(kQueue)), kNotFound);
}

// Every look at it is two seconds later than the one before.
class HurryingClock : public Clock {
 public:
  Instant now() const override { return {ms_ += 2000}; }
  WallTime wall() const override { return {}; }

 private:
  mutable std::int64_t ms_ = 0;
};

TEST_F(RadosStore, ARefusalThatMayBeASecondAnswerIsNoRefusal) {
  const HurryingClock clock;
  const Version version = open()->create(kQueue, "x").value();
  const auto store = open_rados(options, clock).value();
  EXPECT_EQ(failure(store->create(kQueue, "y")), kUnavailable);
  EXPECT_EQ(failure(store->replace(kQueue, {version.number + 1}, "y")), kUnavailable);
  EXPECT_EQ(failure(store->remove({"queue", "b"}, version)), kUnavailable);
  EXPECT_EQ(failure(store->read({"queue", "b"})), kNotFound);
  EXPECT_EQ(store->read(kQueue).value().bytes, "x");
  EXPECT_TRUE(store->replace(kQueue, version, "y").ok());
}

TEST_F(RadosStore, AFullClusterRefusesAtOnceAndStillRemoves) {
  const auto store = open();
  const Version version = store->create(kQueue, "x").value();
  int tried = 0;
  Error last = conflict("none yet");
  const auto is_taken = [&] {
    const Result<Version> created = store->create({"queue", std::to_string(++tried)}, "x");
    if (!created.ok()) last = created.error();
    return created.ok();
  };
  ceph.command_osd(R"({"prefix": "injectfull", "type": "full", "count": -1})");
  EXPECT_TRUE(testing_support::eventually([&] { return !is_taken(); }));
  EXPECT_EQ(last.kind, kUnavailable);
  EXPECT_EQ(last.message, "the pool is full");
  EXPECT_TRUE(store->remove(kQueue, version).ok());
  ceph.command_osd(R"({"prefix": "injectfull", "type": "none", "count": 0})");
  EXPECT_TRUE(testing_support::eventually(is_taken));
}

}  // namespace
}  // namespace reclaim::test
