#include "apps/worker_drivers.hpp"

#include <utility>

#include "adapters/runtime_oci/oci_containers.hpp"
#include "adapters/volumes_btrfs/btrfs_volumes.hpp"
#include "adapters/volumes_dir/dir_volumes.hpp"

namespace reclaim::apps {
namespace {

template <class Driver>
OpenedDriver with_sweep(Driver opened) {
  auto driver = std::make_unique<Driver>(std::move(opened));
  auto sweep = [pointer = driver.get()](Instant deadline) { return pointer->sweep(deadline); };
  return {std::move(driver), std::move(sweep)};
}

}  // namespace

Result<OpenedDriver> open_driver(const RootSpec& root, int lock_fd, const Clock& clock) {
  if (root.driver == "dir") return with_sweep(TRY(volumes_dir::DirVolumes::open(root.path, clock)));
  if (root.driver == "btrfs") return with_sweep(TRY(volumes_btrfs::BtrfsVolumes::open(root.path, clock)));
  runtime_oci::OciOptions options{.program = root.driver, .root = root.path, .lock_fd = lock_fd};
  return OpenedDriver{std::make_unique<runtime_oci::OciContainers>(TRY(runtime_oci::OciContainers::open(std::move(options), clock))), {}};
}

}  // namespace reclaim::apps
