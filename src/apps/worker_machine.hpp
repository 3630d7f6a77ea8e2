// What a worker has on its machine: its roots, locked and marked, the drivers over them, and its memory on disk.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/system/files.hpp"
#include "apps/worker_options.hpp"
#include "apps/worker_root.hpp"
#include "base/result.hpp"
#include "ports/resource_driver.hpp"
#include "worker/agent.hpp"

namespace reclaim::apps {

class FileMemory : public worker::Memory {
 public:
  // Makes the directory where it is missing.
  static Result<FileMemory> open(const std::string& directory);
  // A damaged file is set aside and said: to refuse would be to leak for ever. It is a worker that lost its memory then.
  Result<std::optional<wire::Answered>> load() override;
  Status store(const wire::Answered& answered) override;

 private:
  FileMemory(std::string path, system::Fd directory) : path_(std::move(path)), directory_(std::move(directory)) {}

  std::string path_;
  system::Fd directory_;
};

class WorkerMachine {
 public:
  WorkerMachine(const std::vector<RootSpec>& roots, const Clock& clock);

  // Locks the roots that are there. What a session still has to wait for: a root that somebody else holds, or any root to be there at all;
  // empty when there is nothing. Call it again until then, before anything else. kInvalid: two roots are one directory.
  Result<std::string> hold_roots();
  // What the roots that are held agree on, one start further, adopted by them. One that is not fit stays out until it is. An error when
  // none of them is, or they disagree.
  Result<worker::Marker> mark_roots(Random& random, bool accepts_empty);

  // Only with marked roots.
  std::vector<ports::ResourceDriver*> drivers() const;
  // Removes what former processes left in dead/; logs what cannot be.
  void sweep(Instant deadline) const;
  // How full the machine is, as the last lists found it: the first volume root says so; without one, the first root.
  std::optional<wire::Disk> disk_use() const;

 private:
  Status adopt_all();
  Status write_markers() const;

  std::vector<std::unique_ptr<WorkerRoot>> roots_;
  std::vector<bool> held_;
};

}  // namespace reclaim::apps
