// The gateway's way to a server elsewhere, against a server that misbehaves on request.
#include "adapters/link_http/http_door.hpp"

#include <gtest/gtest.h>
#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "runtime/bounded_pool.hpp"
#include "ssh_tools.hpp"
#include "wire/sync.hpp"

namespace reclaim::test {
namespace {

constexpr const char* kKey = "ssh-ed25519 AAAAkey1";

class HttpDoorTest : public testing::Test {
 protected:
  HttpDoorTest() {
    server_.Post("/api/v1/gateway/whois", [](const auto& request, auto& response) { reply(request, response, R"({"worker":"w1"})"); });
    server_.Post("/api/v1/gateway/land", [](const auto& request, auto& response) { reply(request, response, R"({"name":"w1"})"); });
    server_.Post("/api/v1/gateway/status",
                 [](const auto&, auto& response) { response.set_content("<html>", "text/html"), response.status = 502; });
    server_.Post("/api/v1/gateway/sync", [this](const auto& request, auto& response) {
      if (request.body == "hold") {
        ++holding_;
        held_.wait();
      }
      reply(request, response, R"({"echo":")" + request.body + R"("})");
    });
    server_.new_task_queue = [] { return new httplib::ThreadPool(16); };
    port_ = server_.bind_to_any_port("127.0.0.1");
    listening_ = std::thread([this] { server_.listen_after_bind(); });
    held_ = release_.get_future().share();
    options_.server = "http://127.0.0.1:" + std::to_string(port_);
    options_.token = "secret";
    options_.syncs_max = [this] { return syncs_max_.load(); };
    door_ = make_door();
  }
  void TearDown() override {
    release();
    pool_.reset();
    door_.reset();
    server_.stop();
    listening_.join();
  }

  std::unique_ptr<link_http::HttpDoor> make_door() {
    return std::make_unique<link_http::HttpDoor>(options_,
                                                 [this](std::function<void()> task) { return pool_->try_submit(std::move(task)); });
  }

  std::future<Result<std::string>> sync(const std::string& frame) {
    auto promise = std::make_shared<std::promise<Result<std::string>>>();
    door_->sync(kKey, frame, [promise](Result<std::string> answer) { promise->set_value(std::move(answer)); });
    return promise->get_future();
  }

  void release() {
    if (!released_) release_.set_value();
    released_ = true;
  }

  static void reply(const httplib::Request& request, httplib::Response& response, const std::string& body) {
    const std::string key = request.get_header_value("Reclaim-Key");
    const bool has_token = request.get_header_value("Authorization") == "Bearer secret";
    const Error error =
        !has_token || key == "ssh-ed25519 AAAAstranger" ? unauthenticated("who are you?") : invalid("Reclaim-Key", "is required");
    const bool refuses = !has_token || key != kKey;
    response.status = refuses ? wire::status_of(error) : 200;
    response.set_content(refuses ? wire::to_problem(error) : body, "application/json");
  }

  httplib::Server server_;
  int port_ = 0;
  std::thread listening_;
  std::promise<void> release_;
  std::shared_future<void> held_;
  bool released_ = false;
  std::atomic<int> holding_ = 0;
  std::atomic<std::size_t> syncs_max_ = 256;
  link_http::HttpDoorOptions options_;
  std::unique_ptr<runtime::BoundedPool> pool_ = std::make_unique<runtime::BoundedPool>(3);
  std::unique_ptr<link_http::HttpDoor> door_;
};

TEST_F(HttpDoorTest, AsksTheServerOnBehalfOfTheKey) {
  EXPECT_TRUE(door_->check_token().ok());
  EXPECT_EQ(door_->worker_of(kKey).value().str(), "w1");
  EXPECT_EQ(door_->call(kKey, ports::WorkerCall::kLand).value(), R"({"name":"w1"})");
  EXPECT_EQ(sync("frame").get().value(), R"({"echo":"frame"})");
}

TEST_F(HttpDoorTest, TellsAnUnknownKeyFromATokenThatIsRefused) {
  EXPECT_EQ(door_->worker_of("ssh-ed25519 AAAAstranger").error().kind, Error::Kind::kUnauthenticated);
  options_.token = "stale";
  door_ = make_door();
  EXPECT_EQ(door_->check_token().error().kind, Error::Kind::kForbidden);
  EXPECT_EQ(door_->worker_of(kKey).error().kind, Error::Kind::kUnavailable);
  EXPECT_EQ(door_->call(kKey, ports::WorkerCall::kLand).error().kind, Error::Kind::kUnavailable);
}

TEST_F(HttpDoorTest, TakesAnotherServersWordForNothing) {
  EXPECT_EQ(door_->call(kKey, ports::WorkerCall::kStatus).error().kind, Error::Kind::kUnavailable);
  options_.server = "http://127.0.0.1:1";
  door_ = make_door();
  EXPECT_EQ(door_->worker_of(kKey).error().kind, Error::Kind::kUnavailable);
  EXPECT_EQ(door_->check_token().error().kind, Error::Kind::kUnavailable);
}

TEST_F(HttpDoorTest, HoldsSyncsBesideOthersUpToItsBound) {
  auto first = sync("hold");
  auto second = sync("hold");
  EXPECT_EQ(sync("quick").get().value(), R"({"echo":"quick"})");
  EXPECT_TRUE(eventually([&] { return pool_->busy() == 2; }));
  auto third = sync("hold");
  EXPECT_EQ(sync("one too many").get().error().kind, Error::Kind::kUnavailable);
  EXPECT_EQ(door_->worker_of(kKey).value().str(), "w1");
  release();
  for (auto* held : {&first, &second, &third}) EXPECT_EQ(held->get().value(), R"({"echo":"hold"})");
}

TEST_F(HttpDoorTest, HoldsNoAnswerWhenItsPlacesBecomeScarce) {
  syncs_max_ = 2;
  wire::SyncRequest request{.session = "s", .incarnation = "i", .started = 1, .sequence = 1};
  request.wait_ms = 30'000;
  EXPECT_NE(sync(wire::to_json(request)).get().value().find("wait_ms"), std::string::npos);
  auto held = sync("hold");
  EXPECT_EQ(sync(wire::to_json(request)).get().value().find("wait_ms"), std::string::npos);
  EXPECT_EQ(sync("no sync").get().value(), R"({"echo":"no sync"})") << "what cannot be read goes on as it is";
  release();
  EXPECT_TRUE(held.get().ok());
}

TEST_F(HttpDoorTest, TakesNoMoreSyncsThanItMayNow) {
  auto held = sync("hold");
  EXPECT_EQ(sync("quick").get().value(), R"({"echo":"quick"})");
  syncs_max_ = 1;
  EXPECT_EQ(sync("one too many").get().error().kind, Error::Kind::kUnavailable);
  EXPECT_EQ(door_->worker_of(kKey).value().str(), "w1");
  syncs_max_ = 2;
  EXPECT_EQ(sync("quick").get().value(), R"({"echo":"quick"})");
  release();
  EXPECT_TRUE(held.get().ok());
}

TEST_F(HttpDoorTest, KeepsNoMoreConnectionsThanItMayNow) {
  const auto open = [] { return std::ranges::distance(std::filesystem::directory_iterator("/proc/self/fd")); };
  EXPECT_TRUE(door_->worker_of(kKey).ok());
  const auto with_one = open();
  std::vector<std::future<Result<std::string>>> held;
  for (int i = 0; i < 3; ++i) held.push_back(sync("hold"));
  EXPECT_TRUE(eventually([&] { return holding_ == 3; }));
  release();
  for (auto& one : held) EXPECT_TRUE(one.get().ok());
  EXPECT_GE(open(), with_one + 2 * 2) << "two connections more, both ends of which are here";
  syncs_max_ = 1;
  EXPECT_TRUE(door_->worker_of(kKey).ok());
  EXPECT_TRUE(eventually([&] { return open() <= with_one; })) << open() << " descriptors, " << with_one << " with one connection";
}

TEST_F(HttpDoorTest, WaitsNoLongerThanItMay) {
  options_.sync_timeout = Millis(200);
  door_ = make_door();
  EXPECT_EQ(sync("hold").get().error().kind, Error::Kind::kUnavailable);
}

TEST_F(HttpDoorTest, BreaksOffWhatIsUnderWayWhenStopped) {
  auto held = sync("hold");
  const auto stopped = std::async(std::launch::async, [&] {
    while (!pool_->wait_idle(Millis(20))) door_->stop();
  });
  EXPECT_EQ(held.get().error().kind, Error::Kind::kUnavailable);
  stopped.wait();
  EXPECT_EQ(door_->worker_of(kKey).error().kind, Error::Kind::kUnavailable);
}

}  // namespace
}  // namespace reclaim::test
