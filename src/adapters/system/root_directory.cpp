#include "adapters/system/root_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

namespace reclaim::system {
namespace {

constexpr std::size_t kMarkerMax = 512U << 10U;

Error about(const std::string& path, Error error) {
  error.message = path + ": " + error.message;
  return error;
}

// A link in the place of a root can be turned round between two looks at it, to where no lock and no marker is. What is above the
// root is the operator's.
Result<Fd> open_root(const std::string& path) {
  const std::string bare = path.substr(0, path.find_last_not_of('/') + 1);
  Fd root(open(bare.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (root.is_open()) return root;
  const int why = errno;
  struct stat found {};
  const bool is_link = lstat(bare.c_str(), &found) == 0 && S_ISLNK(found.st_mode);
  return is_link ? conflict(path + " is a symbolic link: give the directory that it leads to")
                 : system_error(why, "cannot open directory " + path);
}

}  // namespace

Result<RootDirectory> RootDirectory::open(const std::string& path) {
  const Fd root = TRY(open_root(path));
  auto directory = make_directory_at(root.get(), ".reclaim", 0700);
  if (!directory.ok()) return about(path, directory.error());
  Fd lock(openat(directory.value().get(), "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock.is_open()) return about(path, system_error(errno, "cannot open .reclaim/lock"));
  return RootDirectory(TRY(place_of(root)), std::move(directory).value(), std::move(lock));
}

Result<RootDirectory::Place> RootDirectory::place_of(const Fd& root) {
  struct stat found {};
  if (fstat(root.get(), &found) != 0) return system_error(errno, "cannot look at the root");
  return Place{found.st_dev, found.st_ino};
}

Status RootDirectory::still_at(const std::string& path) const {
  const Fd there = TRY(open_directory(path));
  if (TRY(place_of(there)) == place_) return done();
  return conflict(path + " leads to another directory than the one that was locked: something was mounted or moved there");
}

Result<bool> RootDirectory::try_lock() {
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK || errno == EINTR) return false;
  return system_error(errno, "cannot lock .reclaim/lock");
}

Result<std::optional<std::string>> RootDirectory::read_marker() const {
  auto text = read_file_at(directory_.get(), "marker", kMarkerMax);
  if (!text.ok() && text.error().kind == Error::Kind::kNotFound) return std::optional<std::string>();
  return std::optional(TRY(std::move(text)));
}

Status RootDirectory::write_marker(std::string_view text) const { return write_file_at(directory_.get(), "marker", text, 0600); }

}  // namespace reclaim::system
