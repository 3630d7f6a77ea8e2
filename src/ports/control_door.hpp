// What lies behind the SSH gateway: the server in the same process, or one elsewhere over HTTP.
//
// A caller is known by the public key that its session was authenticated with, in the form `ssh-ed25519 AAAA...` (type and base64,
// no comment). Every call names the key again, so that a key taken away acts at once, also on a standing session (F4).
//
// Errors: kUnauthenticated for a key that belongs to no worker; otherwise what the call itself answers.
// Who may call: any thread. worker_of() and call() block for one database transaction; sync() returns at once.
#pragma once

#include <functional>
#include <string>

#include "base/ids.hpp"
#include "base/result.hpp"

namespace reclaim::ports {

enum class WorkerCall { kHeartbeat, kLand, kRetire, kStatus };

class ControlDoor {
 public:
  using Answer = std::function<void(Result<std::string>)>;

  virtual ~ControlDoor() = default;
  virtual Result<WorkerName> worker_of(const std::string& key) = 0;
  // One sync frame in, one answer out, both JSON text. `answer` is called exactly once, from any thread, possibly before sync()
  // returns; it may take as long as the frame's wait_ms.
  virtual void sync(const std::string& key, std::string frame, Answer answer) = 0;
  // The answer is JSON text: the worker as the API shows it.
  virtual Result<std::string> call(const std::string& key, WorkerCall call) = 0;
};

}  // namespace reclaim::ports
