#include "adapters/volumes_dir/dir_volumes.hpp"

#include "adapters/system/remove_tree.hpp"

namespace reclaim::volumes_dir {

Result<DirVolumes> DirVolumes::open(const std::string& path, const Clock& clock) {
  return DirVolumes(path, TRY(VolumeYard::open(path)), clock);
}

Status DirVolumes::destroy(const Handle& handle, Instant deadline) {
  if (TRY(yard_.may_bury(handle))) TRY(yard_.bury(handle));
  for (const std::string& name : TRY(yard_.remains(handle))) TRY(system::remove_tree_at(yard_.dead(), name, clock_, deadline));
  return done();
}

Status DirVolumes::sweep(Instant deadline) {
  return yard_.sweep(clock_, deadline,
                     [&](const std::string& name) { return system::remove_tree_at(yard_.dead(), name, clock_, deadline); });
}

}  // namespace reclaim::volumes_dir
