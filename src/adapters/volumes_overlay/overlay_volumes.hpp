// Volumes that are overlay mounts: `overlay:PATH`, each with `upper`, `work` and the mount point `merged` in PATH/live/HANDLE. Lower
// directories lie elsewhere and belong to nobody here.
//
// destroy(): `merged` is unmounted, as often as an overlay is mounted there; the directory is renamed into dead/, and its tree, upper and
// work, removed there. It is refused with kConflict, and nothing changed, while
//  * a process uses the mount (the kernel says busy): never unmounted lazily, for a writer would go on writing into what is being removed;
//  * the overlay, or another one with a layer in this volume, is mounted elsewhere too, or anything else is mounted in the volume.
// All of it as this process sees the mount table: a worker has to share the mount namespace of those who make its volumes.
//
// A crash leaves it mounted, unmounted in live/, or in dead/; each is listed, and destroy() goes on from there. Needs root.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "adapters/volumes_dir/volume_yard.hpp"
#include "ports/resource_driver.hpp"

namespace reclaim::volumes_overlay {

class OverlayVolumes : public ports::ResourceDriver {
 public:
  static Result<OverlayVolumes> open(const std::string& path, const Clock& clock);

  ResourceKind kind() const override { return ResourceKind::kVolume; }
  std::string name() const override { return "overlay:" + path_; }
  Result<std::vector<ports::Listed>> list() override { return yard_.list(); }
  Status destroy(const Handle& handle, Instant deadline) override;
  // Removes what a former process left in dead/: all that can be, then the first error. Beside destroy(), on any thread.
  Status sweep(Instant deadline);

 private:
  OverlayVolumes(std::string path, volumes_dir::VolumeYard yard, const Clock& clock)
      : path_(std::move(path)), yard_(std::move(yard)), clock_(clock) {}

  static Status unmount(int parent, const std::string& name);
  Status remove_dead(const std::string& name, Instant deadline) const;

  std::string path_;
  volumes_dir::VolumeYard yard_;
  const Clock& clock_;
};

}  // namespace reclaim::volumes_overlay
