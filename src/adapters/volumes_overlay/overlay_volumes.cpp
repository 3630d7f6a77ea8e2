#include "adapters/volumes_overlay/overlay_volumes.hpp"

#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "adapters/system/mounts.hpp"
#include "adapters/system/remove_tree.hpp"

namespace reclaim::volumes_overlay {
namespace {

constexpr const char* kMerged = "merged";
constexpr int kStackMax = 64;

bool is_overlay(const system::MountInfo& mount) { return mount.type == "overlay"; }

// Whether an option of an overlay names this directory, or something in it, as a layer: `rw,lowerdir=/a:/b,upperdir=/c,workdir=/d`.
bool has_layer_in(const system::MountInfo& mount, const std::string& directory) {
  if (!is_overlay(mount)) return false;
  const std::string options = mount.options + ",";
  for (std::size_t at = options.find(directory); at != std::string::npos; at = options.find(directory, at + 1)) {
    const bool begins = at > 0 && (options[at - 1] == '=' || options[at - 1] == ':');
    if (begins && std::string_view("/:,").find(options[at + directory.size()]) != std::string_view::npos) return true;
  }
  return false;
}

// Why a volume has to stay as it is.
Status may_unmount(const std::vector<system::MountInfo>& table, const std::string& volume, const std::string& merged) {
  for (const system::MountInfo& mount : table) {
    if (mount.point == merged && !is_overlay(mount)) {
      return conflict(merged + " is a mount of " + mount.type + ", not an overlay: unmount it first");
    }
    if (mount.point == merged) continue;
    if (mount.point == volume || mount.point.starts_with(volume + "/")) {
      return conflict("volume has a mount at " + mount.point + ": unmount it first");
    }
    if (has_layer_in(mount, volume)) {
      return conflict(volume + " is a layer of the overlay mounted at " + mount.point + ": unmount that first");
    }
  }
  return done();
}

}  // namespace

Result<OverlayVolumes> OverlayVolumes::open(const std::string& path, const Clock& clock) {
  return OverlayVolumes(path, TRY(volumes_dir::VolumeYard::open(path)), clock);
}

Status OverlayVolumes::unmount(int parent, const std::string& name) {
  const std::string volume = TRY(system::path_of(parent)) + "/" + name;
  const std::string merged = volume + "/" + kMerged;
  for (int times = 0; times <= kStackMax; ++times) {
    const std::vector<system::MountInfo> table = TRY(system::mount_table());
    TRY(may_unmount(table, volume, merged));
    if (std::ranges::find(table, merged, &system::MountInfo::point) == table.end()) return done();
    // By the descriptor of the volume: a link that takes the place of a component is not followed.
    const system::Fd directory = TRY(system::open_directory_at(parent, name));
    const std::string here = "/proc/self/fd/" + std::to_string(directory.get()) + "/" + kMerged;
    if (umount2(here.c_str(), UMOUNT_NOFOLLOW) == 0 || errno == EINVAL) continue;
    if (errno == EBUSY) return conflict(merged + " is in use: a process works in it or has a file of it open");
    return system::system_error(errno, "cannot unmount " + merged);
  }
  return conflict(merged + " is mounted more than " + std::to_string(kStackMax) + " times over");
}

Status OverlayVolumes::destroy(const Handle& handle, Instant deadline) {
  if (TRY(system::inspect_at(yard_.live(), handle.str())).type == system::FileType::kDirectory) TRY(unmount(yard_.live(), handle.str()));
  if (TRY(yard_.may_bury(handle))) TRY(yard_.bury(handle));
  for (const std::string& name : TRY(yard_.remains(handle))) TRY(remove_dead(name, deadline));
  return done();
}

// A mount that came between the unmounting and the rename went along.
Status OverlayVolumes::remove_dead(const std::string& name, Instant deadline) const {
  if (TRY(system::inspect_at(yard_.dead(), name)).type == system::FileType::kDirectory) TRY(unmount(yard_.dead(), name));
  return system::remove_tree_at(yard_.dead(), name, clock_, deadline);
}

Status OverlayVolumes::sweep(Instant deadline) {
  return yard_.sweep(clock_, deadline, [&](const std::string& name) { return remove_dead(name, deadline); });
}

}  // namespace reclaim::volumes_overlay
