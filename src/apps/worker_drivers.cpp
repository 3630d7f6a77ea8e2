#include "apps/worker_drivers.hpp"

#include <utility>

#include "adapters/driver_exec/exec_resources.hpp"
#include "adapters/runtime_oci/oci_containers.hpp"
#include "adapters/volumes_btrfs/btrfs_volumes.hpp"
#include "adapters/volumes_dir/dir_volumes.hpp"
#include "adapters/volumes_overlay/overlay_volumes.hpp"

namespace reclaim::apps {
namespace {

template <class Driver>
OpenedDriver with_sweep(Driver opened) {
  auto driver = std::make_unique<Driver>(std::move(opened));
  auto sweep = [pointer = driver.get()](Instant deadline) { return pointer->sweep(deadline); };
  return {std::move(driver), std::move(sweep)};
}

template <class Driver>
OpenedDriver without_sweep(Driver opened) {
  return {std::make_unique<Driver>(std::move(opened)), {}};
}

}  // namespace

Result<OpenedDriver> open_driver(const RootSpec& root, int lock_fd, const Clock& clock) {
  if (root.driver == "dir") return with_sweep(TRY(volumes_dir::DirVolumes::open(root.path, clock)));
  if (root.driver == "btrfs") return with_sweep(TRY(volumes_btrfs::BtrfsVolumes::open(root.path, clock)));
  if (root.driver == "overlay") return with_sweep(TRY(volumes_overlay::OverlayVolumes::open(root.path, clock)));
  if (root.driver == "exec") {
    driver_exec::ExecOptions options{.program = root.path, .kind = root.kind, .memory = root.home, .lock_fd = lock_fd};
    return without_sweep(TRY(driver_exec::ExecResources::open(std::move(options), clock)));
  }
  const auto dialect = root.driver == "crun" ? runtime_oci::Dialect::kCrun : runtime_oci::Dialect::kRunc;
  runtime_oci::OciOptions options{.program = root.driver, .root = root.path, .dialect = dialect, .lock_fd = lock_fd};
  return without_sweep(TRY(runtime_oci::OciContainers::open(std::move(options), clock)));
}

}  // namespace reclaim::apps
