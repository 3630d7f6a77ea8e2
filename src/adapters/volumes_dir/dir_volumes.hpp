// Volumes that are plain directories: `dir:PATH`, one directory under PATH/live each.
//
// destroy(): the volume is renamed into dead/ and its tree removed there. What cannot be removed (an immutable file) is an error each
// time it is tried, by destroy() of the same handle or by sweep(), until a person helps.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "adapters/volumes_dir/volume_yard.hpp"
#include "ports/resource_driver.hpp"

namespace reclaim::volumes_dir {

class DirVolumes : public ports::ResourceDriver {
 public:
  static Result<DirVolumes> open(const std::string& path, const Clock& clock);

  ResourceKind kind() const override { return ResourceKind::kVolume; }
  std::string name() const override { return "dir:" + path_; }
  Result<std::vector<ports::Listed>> list() override { return yard_.list(); }
  Status destroy(const Handle& handle, Instant deadline) override;
  // Removes what a former process left in dead/: all that can be, then the first error. Beside destroy(), on any thread.
  Status sweep(Instant deadline);

 private:
  DirVolumes(std::string path, VolumeYard yard, const Clock& clock) : path_(std::move(path)), yard_(std::move(yard)), clock_(clock) {}

  std::string path_;
  VolumeYard yard_;
  const Clock& clock_;
};

}  // namespace reclaim::volumes_dir
