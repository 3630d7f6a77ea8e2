// What the worker's own link makes of a gateway that cannot serve it now: never that its key is unknown, because a worker that is
// retiring takes that for its end.
#include "adapters/link_ssh/ssh_link.hpp"

#include "gateway_fixture.hpp"

namespace reclaim::test {
namespace {

class Link : public GatewayTest {
 protected:
  std::unique_ptr<link_ssh::SshLink> link(const std::string& key_name) {
    key(key_name);
    auto opened = link_ssh::SshLink::open({.host = "127.0.0.1",
                                           .port = gateway_->port(),
                                           .worker = "w1",
                                           .key_file = directory_ / key_name,
                                           .gateway_key_file = {},
                                           .gateway_fingerprint = gateway_->fingerprint()},
                                          clock_);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return std::move(opened).value();
  }
  static wire::SyncRequest request(std::int64_t sequence) {
    wire::SyncRequest request = wire::parse_sync_request(frame(1)).value();
    request.sequence = sequence;
    return request;
  }
};

TEST_F(Link, TakesAServerThatIsAwayForATemporaryTrouble) {
  start();
  const auto worker = link("w1");
  door_.go_away(true);
  EXPECT_EQ(worker->exchange(request(1)).error().kind, Error::Kind::kUnavailable) << "at login";
  door_.go_away(false);
  EXPECT_EQ(worker->exchange(request(2)).value().sequence, 2);
  door_.go_away(true);
  EXPECT_EQ(worker->exchange(request(3)).error().kind, Error::Kind::kUnavailable) << "on the standing channel";
  door_.go_away(false);
  EXPECT_EQ(worker->exchange(request(4)).value().sequence, 4);
}

TEST_F(Link, TakesAFullHouseForATemporaryTrouble) {
  options_.sessions_per_key_max = 1;
  start();
  const auto first = link("w1");
  ASSERT_TRUE(first->heartbeat().ok());
  const Instant before = clock_.now();
  EXPECT_EQ(link("w1")->heartbeat().error().kind, Error::Kind::kUnavailable);
  EXPECT_LT((clock_.now() - before).count(), 5000);
}

}  // namespace
}  // namespace reclaim::test
