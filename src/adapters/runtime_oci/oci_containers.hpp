// The containers of an OCI runtime under one root, through the runtime's own command line (runc, or one that speaks like it).
//
//  * list(): what the runtime lists, and every state directory under the root, also one that the runtime cannot read.
//  * destroy(): kill, poll until stopped, delete. It is gone when its state directory is. What the runtime cannot delete is an error
//    with the runtime's own words, and is listed again.
//
// The runtime's children hold `lock_fd` on: a successor waits until the last of them is gone.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "adapters/system/files.hpp"
#include "adapters/system/process.hpp"
#include "ports/resource_driver.hpp"

namespace reclaim::runtime_oci {

struct OciOptions {
  std::string program = "runc";  // the command, looked up in PATH unless it has a slash
  std::string root;
  int lock_fd = -1;
  Millis list_timeout{60'000};
};

class OciContainers : public ports::ResourceDriver {
 public:
  // The root must exist.
  static Result<OciContainers> open(OciOptions options, const Clock& clock);

  ResourceKind kind() const override { return ResourceKind::kContainer; }
  std::string name() const override;
  Result<std::vector<ports::Listed>> list() override;
  Status destroy(const Handle& handle, Instant deadline) override;

 private:
  enum class State { kGone, kStopped, kActive, kUnreadable };

  OciContainers(OciOptions options, system::Fd root, const Clock& clock)
      : options_(std::move(options)), root_(std::move(root)), clock_(clock) {}

  Result<system::Ended> run(std::vector<std::string> words, Instant deadline) const;
  Result<std::vector<std::string>> list_by_runtime() const;
  Result<bool> is_gone(const Handle& handle) const;
  Result<State> state_of(const Handle& handle, Instant deadline) const;
  Result<State> wait_until_stopped(const Handle& handle, Instant deadline) const;

  OciOptions options_;
  system::Fd root_;
  const Clock& clock_;
};

}  // namespace reclaim::runtime_oci
