// The control door of a server elsewhere, over its HTTP API with a token of role `gateway`: POST /api/v1/gateway/whois, sync,
// heartbeat, land, retire, status, each with the session's key in the header `Reclaim-Key`.
//
// What callers may rely on: nothing is asked twice, because a sync that failed may have been applied and its worker goes on with the
// next; every wait is bounded (a held sync's by the longest hold and some); as many syncs as `syncs_max` says and `start` takes are
// under way, and one more fails with kUnavailable at once. At half of them answers are no longer held: places are for who has something
// to say, the others come again in their own time. Connections that nobody uses are kept for the next, no more than `syncs_max` in all.
//
// Errors: as the server says. kUnavailable for a server that cannot be reached or does not answer in time, and also when it refuses
// the gateway's own token: no worker may take that for a word about its key.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "ports/control_door.hpp"

namespace httplib {
class Client;
}

namespace reclaim::link_http {

struct HttpDoorOptions {
  std::string server;  // http://HOST:PORT or https://HOST[:PORT]
  std::string token;
  Millis connect_timeout{5'000};
  Millis call_timeout{15'000};
  Millis sync_timeout{75'000};                                               // longer than any answer is held
  std::function<std::size_t()> syncs_max = [] { return std::size_t{256}; };  // asked every time: it may change
};

class HttpDoor : public ports::ControlDoor {
 public:
  // Runs a task on a thread of its own, or answers false when all are busy.
  using Start = std::function<bool(std::function<void()>)>;

  HttpDoor(HttpDoorOptions options, Start start);
  ~HttpDoor() override;
  HttpDoor(const HttpDoor&) = delete;
  HttpDoor& operator=(const HttpDoor&) = delete;

  // Whether the server takes the token; kUnavailable also when it cannot be asked, kForbidden when it does not.
  Status check_token();
  // Breaks off what is under way; everything fails with kUnavailable from now on.
  void stop();

  Result<WorkerName> worker_of(const std::string& key) override;
  void sync(const std::string& key, std::string frame, Answer answer) override;
  Result<std::string> call(const std::string& key, ports::WorkerCall call) override;

 private:
  class Lease;
  struct Reply {
    int status = 0;
    std::string body;
  };

  Result<Reply> post(std::string_view what, const std::string& key, std::string body, Millis timeout);
  Result<std::string> ask(std::string_view what, const std::string& key, std::string body, Millis timeout);
  void let_surplus_go();  // with the lock held

  const HttpDoorOptions options_;
  const Start start_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<httplib::Client>> idle_;  // connected, for the next who asks
  std::vector<httplib::Client*> busy_;
  bool is_stopped_ = false;
  std::atomic<std::size_t> syncs_ = 0;
};

}  // namespace reclaim::link_http
