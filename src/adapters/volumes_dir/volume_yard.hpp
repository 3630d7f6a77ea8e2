// The two directories of a volume root. `live/HANDLE` is a volume; destroying begins with a rename to `dead/HANDLE.N`, which takes it
// out of sight whole, and ends when nothing is left in `dead/`. `dead/` belongs to the worker.
//
// What callers may rely on
//  * bury() moves all or nothing. A volume with a mount at or below it is not moved: kConflict names the mount point.
//  * The dead of a handle stay found until they are removed, also by the next process: remains() knows them by name, and list() shows
//    the handle until nothing is left of it. What cannot be removed is never forgotten, and its handle is not free.
//  * A link or a file in `live/` is not a volume: shown with an error, never moved.
//
// Who may call: any thread. A crash leaves the volume in live/ or in dead/.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "adapters/system/files.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/resource_driver.hpp"

namespace reclaim::volumes_dir {

class VolumeYard {
 public:
  // Makes live/ and dead/ where they are missing; `path` itself must exist.
  static Result<VolumeYard> open(const std::string& path);
  VolumeYard(VolumeYard&& other) noexcept : live_(std::move(other.live_)), dead_(std::move(other.dead_)), next_(other.next_.load()) {}

  int live() const { return live_.get(); }
  int dead() const { return dead_.get(); }

  Result<std::vector<ports::Listed>> list() const;
  // Refuses what must not be destroyed: links, files, anything with a mount at or below it. False when it is not in live/.
  Result<bool> may_bury(const Handle& handle) const;
  // Moves live/HANDLE to dead/, under a name of its own. Done when it is not in live/ any more. kUnavailable keeps it where it is.
  Status bury(const Handle& handle);
  // Names in dead/ that were this handle.
  Result<std::vector<std::string>> remains(const Handle& handle) const;
  // Removes one name in dead/ after the other: all that `remove` can until the deadline, then its first error.
  using Remove = std::function<Status(const std::string& name)>;
  Status sweep(const Clock& clock, Instant deadline, const Remove& remove) const;

 private:
  VolumeYard(system::Fd live, system::Fd dead) : live_(std::move(live)), dead_(std::move(dead)) {}

  system::Fd live_;
  system::Fd dead_;
  std::atomic<std::uint64_t> next_{0};
};

}  // namespace reclaim::volumes_dir
