#include "adapters/volumes_btrfs/btrfs_volumes.hpp"

#include <btrfsutil.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>

#include "adapters/system/remove_tree.hpp"

namespace reclaim::volumes_btrfs {
namespace {

constexpr std::uint64_t kSubvolumeInode = 256;

// What libbtrfsutil said, with the system's reason, which it leaves in errno.
Error btrfs_error(btrfs_util_error code, int reason, const std::string& doing) {
  return system::system_error(reason, doing + ": " + btrfs_util_strerror(code));
}

Result<bool> is_subvolume(int parent, const std::string& name) {
  const system::FileInfo info = TRY(system::inspect_at(parent, name));
  return info.type == system::FileType::kDirectory && info.inode == kSubvolumeInode;
}

Status make_writable(int parent, const std::string& name) {
  const system::Fd subvolume = TRY(system::open_directory_at(parent, name));
  const btrfs_util_error code = btrfs_util_set_subvolume_read_only_fd(subvolume.get(), false);
  if (code != BTRFS_UTIL_OK) return btrfs_error(code, errno, "cannot make " + name + " writable");
  return done();
}

// The first subvolume nested in this one that has none in it itself, as a path relative to it; nothing when there is none.
Result<std::optional<std::string>> innermost(int subvolume) {
  btrfs_util_subvolume_iterator* created = nullptr;
  btrfs_util_error code = btrfs_util_create_subvolume_iterator_fd(subvolume, 0, BTRFS_UTIL_SUBVOLUME_ITERATOR_POST_ORDER, &created);
  if (code != BTRFS_UTIL_OK) return btrfs_error(code, errno, "cannot look for nested subvolumes");
  const std::unique_ptr<btrfs_util_subvolume_iterator, void (*)(btrfs_util_subvolume_iterator*)> iterator(
      created, btrfs_util_destroy_subvolume_iterator);
  char* path = nullptr;
  code = btrfs_util_subvolume_iterator_next(iterator.get(), &path, nullptr);
  if (code == BTRFS_UTIL_ERROR_STOP_ITERATION) return std::optional<std::string>();
  if (code != BTRFS_UTIL_OK) return btrfs_error(code, errno, "cannot look for nested subvolumes");
  std::optional<std::string> found(path);
  std::free(path);
  return found;
}

// Deletes one subvolume that has none in it. Gone already is done.
Status delete_leaf(int parent, const std::string& name) {
  const btrfs_util_error code = btrfs_util_delete_subvolume_fd(parent, name.c_str(), 0);
  if (code == BTRFS_UTIL_OK || errno == ENOENT) return done();
  return btrfs_error(code, errno, "cannot delete subvolume " + name);
}

// A nested one, by its parent's descriptor, reached one component at a time. The subvolume around it may be read-only.
Status delete_nested(int top, const std::string& path) {
  system::Fd parent = TRY(system::open_directory_at(top, "."));
  system::Fd around = TRY(system::open_directory_at(top, "."));
  std::size_t from = 0;
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', from)) {
    const std::string component = path.substr(from, slash - from);
    if (TRY(is_subvolume(parent.get(), component))) around = TRY(system::open_directory_at(parent.get(), component));
    parent = TRY(system::open_directory_at(parent.get(), component));
    from = slash + 1;
  }
  const std::string name = path.substr(from);
  Status deleted = delete_leaf(parent.get(), name);
  if (deleted.ok() || btrfs_util_set_subvolume_read_only_fd(around.get(), false) != BTRFS_UTIL_OK) return deleted;
  return delete_leaf(parent.get(), name);
}

}  // namespace

Result<BtrfsVolumes> BtrfsVolumes::open(const std::string& path, const Clock& clock) {
  const system::Fd root = TRY(system::open_directory(path));
  struct statfs found {};
  if (fstatfs(root.get(), &found) != 0) return system::system_error(errno, "cannot read " + path);
  if (static_cast<std::uint64_t>(found.f_type) != BTRFS_SUPER_MAGIC) return invalid("volumes", path + " is not on a btrfs filesystem");
  return BtrfsVolumes(path, TRY(volumes_dir::VolumeYard::open(path)), clock);
}

Status BtrfsVolumes::destroy(const Handle& handle, Instant deadline) {
  if (TRY(yard_.may_bury(handle))) TRY(bury(handle));
  for (const std::string& name : TRY(yard_.remains(handle))) TRY(remove_dead(name, deadline));
  return done();
}

// The kernel moves no read-only subvolume to another directory.
Status BtrfsVolumes::bury(const Handle& handle) {
  Status buried = yard_.bury(handle);
  if (buried.ok() || !TRY(is_subvolume(yard_.live(), handle.str()))) return buried;
  TRY(make_writable(yard_.live(), handle.str()));
  return yard_.bury(handle);
}

Status BtrfsVolumes::remove_dead(const std::string& name, Instant deadline) {
  if (!TRY(is_subvolume(yard_.dead(), name))) return system::remove_tree_at(yard_.dead(), name, clock_, deadline);
  const system::Fd subvolume = TRY(system::open_directory_at(yard_.dead(), name));
  while (const std::optional<std::string> nested = TRY(innermost(subvolume.get()))) {
    if (clock_.now() >= deadline) return unavailable("the deadline passed while subvolumes of " + name + " were being deleted");
    TRY(delete_nested(subvolume.get(), *nested));
  }
  return delete_leaf(yard_.dead(), name);
}

Status BtrfsVolumes::sweep(Instant deadline) {
  return yard_.sweep(clock_, deadline, [&](const std::string& name) { return remove_dead(name, deadline); });
}

}  // namespace reclaim::volumes_btrfs
