// What a worker has on its machine: its roots, locked and marked, the drivers over them, and its memory on disk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adapters/system/files.hpp"
#include "adapters/system/root_directory.hpp"
#include "apps/worker_drivers.hpp"
#include "apps/worker_options.hpp"
#include "base/result.hpp"
#include "ports/resource_driver.hpp"
#include "worker/agent.hpp"
#include "worker/roots.hpp"

namespace reclaim::apps {

class FileMemory : public worker::Memory {
 public:
  // Makes the directory where it is missing.
  static Result<FileMemory> open(const std::string& directory);
  Result<std::optional<wire::Answered>> load() override;
  Status store(const wire::Answered& answered) override;

 private:
  FileMemory(std::string path, system::Fd directory) : path_(std::move(path)), directory_(std::move(directory)) {}

  std::string path_;
  system::Fd directory_;
};

class WorkerMachine {
 public:
  // Opens every root. kInvalid and kConflict say which and why.
  static Result<WorkerMachine> open(const std::vector<RootSpec>& roots, const Clock& clock);

  // The roots that somebody else still holds; empty once all are locked. Call it again until then, before anything else.
  Result<std::vector<std::string>> lock_roots();
  // What the roots agree on, one start further, written to them. A root whose marker cannot be read is left out of all that
  // follows but list(), where it fails. Only with all roots locked.
  Result<worker::Marker> mark_roots(Random& random);

  // Only with marked roots. Opens the drivers.
  Status open_drivers();
  std::vector<ports::ResourceDriver*> drivers() const;
  worker::Listings list() const;
  // Removes what former processes left in dead/; logs what cannot be.
  void sweep(Instant deadline) const;
  std::optional<wire::Disk> disk_use() const;

 private:
  struct Root {
    RootSpec spec;
    system::RootDirectory directory;
    bool locked = false;
    std::optional<Error> unfit;  // why its kind cannot be judged
    OpenedDriver opened;
  };

  WorkerMachine(std::vector<Root> roots, const Clock& clock) : roots_(std::move(roots)), clock_(&clock) {}

  std::vector<Root> roots_;
  const Clock* clock_;
};

}  // namespace reclaim::apps
