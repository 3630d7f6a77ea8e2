// Resources of any kind through a program with three verbs, `identity`, `list` and `destroy HANDLE`: `exec:PROGRAM`. The protocol, for
// those who write such programs, is docs/exec-driver.md; tools/check-exec-driver holds a program against it.
//
// What callers may rely on
//  * The program's words are believed only as far as they can be: an answer that is not what the protocol says, too long, or too late
//    is an error with the program's name, what it should have been, and the last line of its stderr.
//  * No shell. A handle is checked before it becomes an argument. When a call returns, whatever the program started has ended, also
//    what left its process group: hung, flooding and forking programs cost only their own calls.
//  * The program is asked what it manages before every list, and the first answer is kept in `memory`. While it answers otherwise,
//    list() and destroy() fail: a program that suddenly looks at another cluster would make everything here seem gone, and everything
//    there unknown.
//
// Lock and marker of such a root lie where `memory` does, in the worker's own state directory: what the program manages may have no
// place on this machine, and is not ours to write into. So two workers with two state directories are not kept apart by it.
//
// A crash kills the program with the worker (a child that it hid holds `lock_fd`); the resource is listed until the program says that
// it is gone.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/system/files.hpp"
#include "adapters/system/process.hpp"
#include "ports/resource_driver.hpp"
#include "wire/json.hpp"

namespace reclaim::driver_exec {

inline constexpr int kProtocol = 1;

struct ExecOptions {
  std::string program;  // absolute
  ResourceKind kind = ResourceKind::kVolume;
  std::string memory;  // a directory of this root's own
  int lock_fd = -1;
  Millis identity_timeout{10'000};
  Millis list_timeout = ports::kListTimeout;
};

class ExecResources : public ports::ResourceDriver {
 public:
  // Does not run the program: one that is broken today costs its own lists, not the worker.
  static Result<ExecResources> open(ExecOptions options, const Clock& clock);

  ResourceKind kind() const override { return options_.kind; }
  std::string name() const override { return "exec:" + options_.program; }
  Result<std::vector<ports::Listed>> list() override;
  Status destroy(const Handle& handle, Instant deadline) override;

 private:
  struct Recognised {
    std::mutex mutex;
    std::optional<std::string> manages;  // what it has always said
    bool now = false;                    // it said so the last time it was asked
  };

  ExecResources(ExecOptions options, system::Fd memory, std::optional<std::string> manages, const Clock& clock);

  Error failed(const std::string& verb, const std::string& what) const;
  Result<wire::Json> ask(const std::vector<std::string>& words, std::size_t answer_max, Instant deadline) const;
  Status recognise(Instant deadline);
  Result<std::string> ask_what_it_manages(Instant deadline) const;

  ExecOptions options_;
  system::Fd memory_;
  const Clock& clock_;
  std::unique_ptr<Recognised> recognised_;
};

}  // namespace reclaim::driver_exec
