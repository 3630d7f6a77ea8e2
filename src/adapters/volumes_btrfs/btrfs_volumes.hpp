// Volumes that are btrfs subvolumes: `btrfs:PATH`, PATH anywhere on a btrfs filesystem, one subvolume under PATH/live each. A plain
// directory there is a volume as well, and is removed as one.
//
// destroy(): the subvolume is renamed into dead/, the subvolumes nested in it are deleted leaf first, then itself, always by the
// descriptor of the parent and a name. Deleting a subvolume is one call whatever it holds; snapshots of it elsewhere live on. A
// read-only flag that stands in the way of the rename or of a nested one is cleared: the volume is on its way out by then.
// Needs root.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "adapters/volumes_dir/volume_yard.hpp"
#include "ports/resource_driver.hpp"

namespace reclaim::volumes_btrfs {

class BtrfsVolumes : public ports::ResourceDriver {
 public:
  // kInvalid when PATH is not on btrfs.
  static Result<BtrfsVolumes> open(const std::string& path, const Clock& clock);

  ResourceKind kind() const override { return ResourceKind::kVolume; }
  std::string name() const override { return "btrfs:" + path_; }
  Result<std::vector<ports::Listed>> list() override { return yard_.list(); }
  Status destroy(const Handle& handle, Instant deadline) override;
  // Removes what a former process left in dead/: all that can be, then the first error. Beside destroy(), on any thread.
  Status sweep(Instant deadline);

 private:
  BtrfsVolumes(std::string path, volumes_dir::VolumeYard yard, const Clock& clock)
      : path_(std::move(path)), yard_(std::move(yard)), clock_(clock) {}

  Status bury(const Handle& handle);
  Status remove_dead(const std::string& name, Instant deadline);

  std::string path_;
  volumes_dir::VolumeYard yard_;
  const Clock& clock_;
};

}  // namespace reclaim::volumes_btrfs
