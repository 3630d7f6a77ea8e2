// The containers of an OCI runtime under one root, through the runtime's own command line: runc and crun.
//
//  * list(): what the runtime lists, and every state directory under the root, also one that the runtime cannot read. Where a damaged
//    one makes the runtime's whole list fail (crun), the state directories are the list; any other failure is an error.
//  * destroy(): runc is told to kill, asked until it has stopped, told to delete; crun to delete by force, which is quick there and
//    the only way for a paused container. It is gone when its state directory is, its processes have ended and its cgroups went.
//    What the runtime refuses is an error with the runtime's own words, and is listed again. A container whose state is damaged or
//    lost is cleaned by hand: remains.hpp says on what proof.
//  * What it needs for that it learns from list(), while the state can be read, and forgets when the process ends.
//
// list() has a deadline of its own, at which the runtime is killed. The runtime's children hold `lock_fd` on: a successor waits until
// the last of them is gone.
// Who may call: list() from one thread, destroy() of different handles from many, at the same time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "adapters/runtime_oci/container_record.hpp"
#include "adapters/runtime_oci/remains.hpp"
#include "adapters/system/files.hpp"
#include "adapters/system/process.hpp"
#include "ports/resource_driver.hpp"

namespace reclaim::runtime_oci {

struct OciOptions {
  std::string program = "runc";  // the command, looked up in PATH unless it has a slash
  std::string root;
  Dialect dialect = Dialect::kRunc;
  int lock_fd = -1;
  Millis list_timeout = ports::kListTimeout;
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
  struct ListedByRuntime {
    std::string id;
    std::int64_t pid;
  };
  // What was read of each container that is there.
  struct Known {
    std::mutex mutex;
    std::map<std::string, ContainerRecord> records;
  };

  OciContainers(OciOptions options, system::Fd root, const Clock& clock)
      : options_(std::move(options)), root_(std::move(root)), clock_(clock), known_(std::make_unique<Known>()) {}

  Result<system::Ended> run(std::vector<std::string> words, Instant deadline) const;
  Result<std::vector<std::string>> state_directories() const;
  bool has_damaged(const std::vector<std::string>& directories) const;
  Result<std::vector<ListedByRuntime>> list_by_runtime(const std::vector<std::string>& directories) const;
  std::vector<ListedByRuntime> list_by_hand(const std::vector<std::string>& directories) const;
  void learn(const std::vector<ListedByRuntime>& listed);
  ContainerRecord known(const Handle& handle) const;
  Others others_than(const Handle& handle) const;

  Result<bool> is_gone(const Handle& handle) const;
  Result<State> state_of(const Handle& handle, Instant deadline) const;
  Result<State> wait_until_stopped(const Handle& handle, Instant deadline) const;
  Status delete_by_runtime(const Handle& handle, Instant deadline) const;

  OciOptions options_;
  system::Fd root_;
  const Clock& clock_;
  std::unique_ptr<Known> known_;
};

}  // namespace reclaim::runtime_oci
